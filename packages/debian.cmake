# The packages for Debian, made by `cmake --workflow --preset packages` (or by cpack in any build folder). See README.md here.
# A component is installed by itself: `cmake --install BUILD --component development`. These make a package each, but tool and
# daemon, which make one together.
set(packages_dir ${PROJECT_SOURCE_DIR}/packages)
set(CPACK_PACKAGE_NAME beltway)
set(CPACK_PACKAGE_VENDOR Beltway)
set(CPACK_PACKAGE_CONTACT "The Beltway authors <founders@beltway.example>")
set(CPACK_SET_DESTDIR ON)  # what is installed is told the prefix of the package, and not of a folder where it is packed
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_GENERATOR DEB)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${packages_dir}/compress_manual.cmake)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_COMPONENT_RUNTIME_GROUP command)
set(CPACK_COMPONENT_DAEMON_GROUP command)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1 CACHE STRING "The number behind the version of the packages")
set(CPACK_DEBIAN_VERSION ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_PACKAGE_SECTION misc)
set(CPACK_COMPONENTS_ALL development)
set(about "Beltway passes messages between the processes of one machine through shared memory: no broker process lies between a\
 producer and its consumers. Named groups share the messages of a queue among consumers that acknowledge them. What a consumer held\
 that was killed comes to another.")
# The summary of each package is the first line of its description.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${CMAKE_PROJECT_NAME} built using CMake")

# wrapped(out text): in lines that are short enough for lintian.
function(wrapped out text)
  string(REPLACE " " ";" words "${text}")
  set(line)
  set(lines)
  foreach(word IN LISTS words)
    string(LENGTH "${line} ${word}" length)
    if(length GREATER 76)
      string(APPEND lines "${line}\n")
      set(line "${word}")
    else()
      string(APPEND line " ${word}")
    endif()
    string(STRIP "${line}" line)
  endforeach()
  set(${out} "${lines}${line}" PARENT_SCOPE)
endfunction()

# beltway_package(component package section summary text): one package. `text` is added to what is said of all.
function(beltway_package component package section summary text)
  string(TOUPPER ${component} upper)
  wrapped(about "${about}")
  wrapped(text "${text}")
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${package} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_DESCRIPTION "${summary}\n${about}\n\n${text}" PARENT_SCOPE)
endfunction()

# beltway_package_papers(component package): what Debian wants in each package. Not installed otherwise.
function(beltway_package_papers component package)
  set(papers ${PROJECT_BINARY_DIR}/packages/${package})
  string(TIMESTAMP package_date "%a, %d %b %Y %H:%M:%S +0000" UTC)
  configure_file(${packages_dir}/debian/changelog.in ${papers}/changelog.Debian @ONLY)
  configure_file(${PROJECT_SOURCE_DIR}/src/CHANGELOG.md ${papers}/changelog COPYONLY)
  execute_process(COMMAND gzip -9nf changelog.Debian changelog WORKING_DIRECTORY ${papers} RESULT_VARIABLE failed)
  if(failed)
    message(STATUS "Beltway: no changelog for the packages, since there is no gzip")
    return()
  endif()
  install(FILES ${packages_dir}/debian/copyright ${papers}/changelog.Debian.gz ${papers}/changelog.gz
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${component} EXCLUDE_FROM_ALL)
endfunction()

set(development_needs)
if(BUILD_SHARED_LIBS)
  list(APPEND CPACK_COMPONENTS_ALL library)
  set(library_package libbeltway${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  list(APPEND development_needs "${library_package} (= ${CPACK_DEBIAN_VERSION})")
  beltway_package(library ${library_package} libs "message queues in shared memory: the library for C++"
    "This package has the shared library that programs in C++ use.")
  set(CPACK_DEBIAN_LIBRARY_PACKAGE_RECOMMENDS beltway)
  set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${packages_dir}/debian/triggers)
  set(CPACK_DEBIAN_LIBRARY_PACKAGE_BREAKS "beltway (<< ${PROJECT_VERSION}-1)")
  set(CPACK_DEBIAN_LIBRARY_PACKAGE_REPLACES "beltway (<< ${PROJECT_VERSION}-1)")
  beltway_package_papers(library ${library_package})
endif()
if(TARGET beltway-c)
  list(APPEND CPACK_COMPONENTS_ALL c_library)
  list(APPEND development_needs "libbeltway-c0 (= ${CPACK_DEBIAN_VERSION})")
  beltway_package(c_library libbeltway-c0 libs "message queues in shared memory: the library for C"
    "This package has the shared library that programs in C use. It keeps its ABI.")
  set(CPACK_DEBIAN_C_LIBRARY_PACKAGE_RECOMMENDS beltway)
  set(CPACK_DEBIAN_C_LIBRARY_PACKAGE_CONTROL_EXTRA ${packages_dir}/debian/triggers)
  set(CPACK_DEBIAN_C_LIBRARY_PACKAGE_BREAKS "beltway (<< ${PROJECT_VERSION}-1)")
  set(CPACK_DEBIAN_C_LIBRARY_PACKAGE_REPLACES "beltway (<< ${PROJECT_VERSION}-1)")
  beltway_package_papers(c_library libbeltway-c0)
endif()
list(JOIN development_needs ", " CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_RECOMMENDS "beltway")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "libboost1.81-dev")  # beltway/asio.hpp alone
beltway_package(development libbeltway-dev libdevel "message queues in shared memory: headers and libraries"
  "This package has what programs in C and C++ are compiled with.")
beltway_package_papers(development libbeltway-dev)

if(TARGET beltwayd AND TARGET beltway_tool)
  list(APPEND CPACK_COMPONENTS_ALL runtime daemon)
  beltway_package(command beltway misc "message queues in shared memory: the daemon and the command"
    "This package has the daemon beltwayd, which makes queues and hands them out, with units of systemd for the machine and for\
 users, and the command beltway, which looks at queues, publishes, receives and measures.")
  set(CPACK_DEBIAN_COMMAND_PACKAGE_CONFLICTS beltwayd)  # a package of its own before 0.2.0-1
  set(CPACK_DEBIAN_COMMAND_PACKAGE_REPLACES beltwayd)
  set(CPACK_DEBIAN_COMMAND_PACKAGE_CONTROL_EXTRA
    "${packages_dir}/debian/postinst;${packages_dir}/debian/prerm;${packages_dir}/debian/postrm")
  set(CPACK_DEBIAN_COMMAND_PACKAGE_CONTROL_STRICT_PERMISSION ON)
  beltway_package_papers(runtime beltway)
  if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
    message(STATUS "Beltway: no man page of beltwayd, since the program that writes it does not run here")
  else()
    set(man_page ${PROJECT_BINARY_DIR}/packages/beltwayd.8)
    add_custom_command(OUTPUT ${man_page}
      COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:beltwayd> -DNAME=beltwayd -DSECTION=8 -DVERSION=${PROJECT_VERSION}
        -DOUT=${man_page} -P ${packages_dir}/man_page.cmake
      DEPENDS beltwayd ${packages_dir}/man_page.cmake VERBATIM)
    add_custom_target(beltwayd_man_page ALL DEPENDS ${man_page})
    # A build of single targets has none.
    install(FILES ${man_page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man8 COMPONENT daemon OPTIONAL)
  endif()
endif()

if(TARGET beltway_python)
  list(APPEND CPACK_COMPONENTS_ALL python)
  beltway_package(python python3-beltway python "message queues in shared memory: the package for Python"
    "This package has the module beltway, with beltway.aio for asyncio, and beltway.pika for programs of pika.")
  set(CPACK_DEBIAN_PYTHON_PACKAGE_DEPENDS "python3 (>= 3.11), beltway")
  set(CPACK_DEBIAN_PYTHON_PACKAGE_SUGGESTS python3-numpy)
  beltway_package_papers(python python3-beltway)
endif()
include(CPack)
