# Every dependency, each from Debian's packages; README.md gives the reason for each.
find_package(Threads REQUIRED)
find_package(absl REQUIRED)
# Module mode first: Debian's gRPC config expects protobuf::libprotobuf to exist.
find_package(Protobuf REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(OpenSSL REQUIRED)

# By hand: the library's own CMake package also asks for OpenCL, which a CPU server has no use for.
find_library(STILLWAVE_DNNL_LIBRARY dnnl REQUIRED)
find_path(STILLWAVE_DNNL_INCLUDE_DIR oneapi/dnnl/dnnl.hpp REQUIRED)
add_library(stillwave_dnnl INTERFACE)
add_library(stillwave::dnnl ALIAS stillwave_dnnl)
target_include_directories(stillwave_dnnl SYSTEM INTERFACE "${STILLWAVE_DNNL_INCLUDE_DIR}")
target_link_libraries(stillwave_dnnl INTERFACE "${STILLWAVE_DNNL_LIBRARY}")

# Only ONNX's message classes: the full libonnx refuses files newer than itself.
find_library(STILLWAVE_ONNX_PROTO_LIBRARY onnx_proto REQUIRED)
find_path(STILLWAVE_ONNX_INCLUDE_DIR onnx/onnx_pb.h REQUIRED)
add_library(stillwave_onnx_proto INTERFACE)
add_library(stillwave::onnx_proto ALIAS stillwave_onnx_proto)
target_include_directories(stillwave_onnx_proto SYSTEM INTERFACE "${STILLWAVE_ONNX_INCLUDE_DIR}")
target_compile_definitions(stillwave_onnx_proto INTERFACE ONNX_ML=1 ONNX_NAMESPACE=onnx)
target_link_libraries(stillwave_onnx_proto INTERFACE "${STILLWAVE_ONNX_PROTO_LIBRARY}" protobuf::libprotobuf)

find_package(PkgConfig REQUIRED)
pkg_check_modules(HTTPLIB REQUIRED IMPORTED_TARGET cpp-httplib)
pkg_check_modules(SNDFILE REQUIRED IMPORTED_TARGET sndfile)
# Sanitizers bring an allocator of their own.
if(STILLWAVE_SANITIZER STREQUAL "")
  pkg_check_modules(JEMALLOC REQUIRED IMPORTED_TARGET jemalloc)
endif()

if(STILLWAVE_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()
if(STILLWAVE_BUILD_BENCHMARKS)
  find_package(benchmark REQUIRED)
endif()
