include_guard(GLOBAL)

# Under the thread sanitizer (STILLWAVE_SANITIZER=thread): lets it see the absl::Mutexes that the test uses.
function(stillwave_show_absl_mutex_to_tsan target)
  if(STILLWAVE_SANITIZER STREQUAL "thread" AND TARGET ${target})
    target_sources(${target} PRIVATE "${CMAKE_SOURCE_DIR}/tests/support/tsan_absl_mutex.cc")
    target_link_libraries(${target} PRIVATE ${CMAKE_DL_LIBS})
  endif()
endfunction()
