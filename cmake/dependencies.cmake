# SPDX-License-Identifier: Apache-2.0
# Third-party libraries as targets with one spelling each. Their headers are
# SYSTEM: warnings in them are not ours to fix.
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(simdjson REQUIRED)
find_package(tl-expected REQUIRED)
set(Boost_NO_WARN_NEW_VERSIONS ON)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)

find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(SQLiteCpp REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(libpqxx 7.7 REQUIRED)
# CAF's own version file accepts its exact version only.
find_package(CAF REQUIRED COMPONENTS core io openssl)
if(CAF_VERSION VERSION_LESS 0.18)
  message(FATAL_ERROR "eventweft needs CAF 0.18 or newer, not ${CAF_VERSION}")
endif()
