# The bridge against a real RabbitMQ: once is enough, in the preset of g++. The programs start the server themselves.
if(NOT TARGET beltway_tool OR NOT librabbitmq_FOUND OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU" OR BELTWAY_SANITIZE OR BELTWAY_COVERAGE)
  return()
endif()
# The same tool, but $BELTWAY_BRIDGE_PLANT names a fault that it has: see src/bridge/plants.hpp.
get_target_property(bridge_sources beltway_bridge SOURCES)
add_library(beltway_bridge_with_plants OBJECT ${bridge_sources})
target_compile_definitions(beltway_bridge_with_plants PRIVATE BELTWAY_BRIDGE_PLANTS=1 BELTWAY_HAS_RABBITMQ=1)
target_link_libraries(beltway_bridge_with_plants PRIVATE beltway_watch beltway_internal beltway_flags PkgConfig::librabbitmq)
beltway_compile_together(beltway_bridge_with_plants)
beltway_compile_quickly(beltway_bridge_with_plants)
add_executable(beltway_bridge_planted ${PROJECT_SOURCE_DIR}/src/tool/main.cpp $<TARGET_OBJECTS:beltway_bridge_with_plants>)
# Its objects stand before the library with the same ones, of which none is taken then.
target_link_libraries(beltway_bridge_planted PRIVATE beltway_tool_core beltway_page beltway_flags)

# The tool as it is built where librabbitmq is missing.
add_executable(beltway_without_driver ${PROJECT_SOURCE_DIR}/src/tool/main.cpp ${PROJECT_SOURCE_DIR}/src/bridge/engine.cpp)
target_include_directories(beltway_without_driver PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(beltway_without_driver PRIVATE beltway_tool_core beltway_page beltway_flags)

# What its rate is compared with, by hand: tests/run.sh interop.
add_executable(rabbitmq_client bridge/rabbitmq_client.cpp)
target_link_libraries(rabbitmq_client PRIVATE beltway_flags PkgConfig::librabbitmq)

# faults_test.py has another class, Random, which kills the bridge and the server at random, by hand: tests/run.sh interop.
foreach(part bridge.Traffic faults.Staged tls.Tls)
  cmake_path(GET part STEM file)
  cmake_path(GET part EXTENSION class)
  string(SUBSTRING ${class} 1 -1 class)
  add_test(NAME bridge.${class} COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/bridge/${file}_test.py
    ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} ${class})
  set_tests_properties(bridge.${class} PROPERTIES TIMEOUT 300 LABELS bridge COST 100
    ENVIRONMENT PYTHONDONTWRITEBYTECODE=1 SKIP_REGULAR_EXPRESSION "SKIPPED: THE BRIDGE")
endforeach()
