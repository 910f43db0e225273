# Removes what the last `cmake --install` installed:
#   cmake -DMANIFEST=BUILD/install_manifest.txt -DPREFIX=PREFIX -P uninstall.cmake
# Folders that are empty then go, too, up to the first that is not, or to the prefix.
if(NOT EXISTS "${MANIFEST}")
  message(FATAL_ERROR "uninstall: there is no ${MANIFEST}; nothing was installed from this build folder")
endif()
file(STRINGS "${MANIFEST}" files)
foreach(file IN LISTS files)
  set(file "$ENV{DESTDIR}${file}")
  if(EXISTS "${file}" OR IS_SYMLINK "${file}")
    message(STATUS "Removing ${file}")
    file(REMOVE "${file}")
  endif()
  # rmdir removes empty folders alone. The prefix itself stays.
  cmake_path(GET file PARENT_PATH folder)
  set(removed 0)
  while(removed EQUAL 0 AND IS_DIRECTORY "${folder}" AND NOT folder STREQUAL "$ENV{DESTDIR}${PREFIX}")
    execute_process(COMMAND rmdir "${folder}" RESULT_VARIABLE removed ERROR_QUIET)
    cmake_path(GET folder PARENT_PATH folder)
  endwhile()
endforeach()
