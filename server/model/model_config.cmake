# config.pbtxt is a concern of its own: it needs the protobuf messages and nothing of the engine.
stillwave_library(model_config
  SOURCES "${CMAKE_CURRENT_LIST_DIR}/model_config.cc" "${CMAKE_CURRENT_LIST_DIR}/model_config_fields.cc"
          "${CMAKE_CURRENT_LIST_DIR}/model_config_batching.cc" "${CMAKE_CURRENT_LIST_DIR}/model_config_signature.cc"
  DEPS stillwave::base stillwave::tensor stillwave::proto_messages absl::status absl::statusor absl::strings absl::time)
