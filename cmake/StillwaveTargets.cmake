# The standard, the warnings and the hardening flags, said once.
#
#   stillwave_library(<folder> SOURCES … DEPS …)     target stillwave_<folder>, alias stillwave::<folder>
#   stillwave_binary(<name> SOURCES … DEPS …)        program in build/<preset>/bin
#   stillwave_test(<name> SOURCES … DEPS … [TIMEOUT …])   GoogleTest program, one a folder, discovered by ctest;
#                                                    each of its tests may take TIMEOUT seconds (default 300)
include_guard(GLOBAL)

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(STILLWAVE_CCACHE ccache)
if(STILLWAVE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${STILLWAVE_CCACHE}")
endif()
find_program(STILLWAVE_MOLD mold)
if(STILLWAVE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_library(stillwave_options INTERFACE)
target_include_directories(stillwave_options INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_options(stillwave_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wno-missing-field-initializers
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
  # GCC 14, and GCC 12 where it sees many files at once, raise it falsely inside Abseil's InlinedVector and StatusOr;
  # clang's build checks for the real thing.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<OR:$<VERSION_GREATER_EQUAL:$<CXX_COMPILER_VERSION>,13>,$<BOOL:${STILLWAVE_UNITY_BUILD}>>>:-Wno-maybe-uninitialized>
  $<$<BOOL:${STILLWAVE_WERROR}>:-Werror>
  -fstack-protector-strong)
target_link_options(stillwave_options INTERFACE -Wl,-z,relro -Wl,-z,now)
if(STILLWAVE_SANITIZER STREQUAL "")
  # FORTIFY needs optimisation and would hide what a sanitizer should see.
  target_compile_options(stillwave_options INTERFACE $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE$<SEMICOLON>-D_FORTIFY_SOURCE=2>)
else()
  add_compile_options(-fsanitize=${STILLWAVE_SANITIZER} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${STILLWAVE_SANITIZER})
  if(STILLWAVE_SANITIZER MATCHES "address")
    add_compile_options(-fsanitize=undefined -fno-sanitize-recover=undefined)
    add_link_options(-fsanitize=undefined)
  endif()
endif()

# Several files in one compiler run read the heavy headers once: a build from nothing takes half the time, one after a
# change in one file longer.
option(STILLWAVE_UNITY_BUILD "Compile the files of a folder together" OFF)
function(stillwave_compile_together target)
  if(STILLWAVE_UNITY_BUILD)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
endfunction()

function(stillwave_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_library(stillwave_${name} STATIC ${ARG_SOURCES})
  stillwave_compile_together(stillwave_${name})
  add_library(stillwave::${name} ALIAS stillwave_${name})
  target_link_libraries(stillwave_${name} PUBLIC stillwave_options ${ARG_DEPS})
endfunction()

function(stillwave_binary name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  stillwave_compile_together(${name})
  target_link_libraries(${name} PRIVATE stillwave_options ${ARG_DEPS})
  target_link_options(${name} PRIVATE -pie)
endfunction()

function(stillwave_test name)
  if(NOT STILLWAVE_BUILD_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE stillwave_options ${ARG_DEPS} GTest::gmock GTest::gtest GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE
    STILLWAVE_SOURCE_DIR="${CMAKE_SOURCE_DIR}" STILLWAVE_BINARY_DIR="${CMAKE_BINARY_DIR}")
  include(GoogleTest)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 120 PROPERTIES TIMEOUT ${ARG_TIMEOUT})
endfunction()
