# spdlog and fmt as headers alone: Debian's libraries are for this machine.
if(NOT TARGET spdlog::spdlog)
  add_library(spdlog::spdlog INTERFACE IMPORTED GLOBAL)
  set_target_properties(spdlog::spdlog PROPERTIES INTERFACE_COMPILE_DEFINITIONS "SPDLOG_FMT_EXTERNAL;FMT_HEADER_ONLY")
  target_link_libraries(spdlog::spdlog INTERFACE Threads::Threads)
endif()
set(spdlog_FOUND TRUE)
