# The cache through its public calls, on a schema of its own; every program runs with both engines.
add_library(cache_lab_schema STATIC)
varve_generate(TARGET cache_lab_schema PROTOS cache_lab.proto)
varve_warnings(cache_lab_schema)
foreach(name IN ITEMS test_cache test_cache_records test_cache_transaction test_cache_recent test_cache_config
             test_cache_life test_cache_threads test_health test_maintain)
  add_executable(${name} ${name}.c api_support.c server.c)
  target_link_libraries(${name} PRIVATE cache_lab_schema PkgConfig::CMOCKA PkgConfig::VARVE_SQLITE3
                        PkgConfig::VARVE_HIREDIS)
  varve_warnings(${name})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS runtime TIMEOUT 120)
endforeach()
if(TARGET PkgConfig::VARVE_OPENSSL)
  target_compile_definitions(test_cache_config PRIVATE TEST_HAS_TLS)
endif()

# A schema at two versions, each in a program of its own.
add_library(kept_v1 STATIC)
varve_generate(TARGET kept_v1 PROTOS kept.proto MIGRATIONS kept_v1/migrations IMPORT_DIRS kept_v1)
add_library(kept_v2 STATIC)
varve_generate(TARGET kept_v2 PROTOS kept.proto MIGRATIONS kept_v2/migrations IMPORT_DIRS kept_v2)
varve_warnings(kept_v1 kept_v2)
add_executable(kept_old kept_old.c)
target_link_libraries(kept_old PRIVATE kept_v1)
varve_warnings(kept_old)
add_executable(test_cache_schema test_cache_schema.c api_support.c server.c)
target_link_libraries(test_cache_schema PRIVATE kept_v2 cache_lab_schema cortex PkgConfig::CMOCKA PkgConfig::VARVE_SQLITE3
                      PkgConfig::VARVE_HIREDIS)
varve_warnings(test_cache_schema)
add_test(NAME test_cache_schema COMMAND test_cache_schema $<TARGET_FILE:kept_old>)
set_tests_properties(test_cache_schema PROPERTIES LABELS runtime TIMEOUT 120)
