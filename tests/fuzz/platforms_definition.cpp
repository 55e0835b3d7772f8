// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/declarative.hpp"
#include "tests/fuzz/check.hpp"

#include <cstdint>
#include <string_view>

using namespace eventweft;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static manual_clock time{timestamp{}};
  static seeded_random random{1};
  const auto read = platforms::read_definition(
      {reinterpret_cast<const char*>(data), size}, "fuzz.toml");
  if (!read) {
    EVENTWEFT_CHECK(read.error().code == ec::bad_configuration);
    EVENTWEFT_CHECK(read.error().message.starts_with("fuzz.toml:"));
    return 0;
  }
  EVENTWEFT_CHECK(!read->name.empty() && !read->signatures.empty());
  config::platform_settings settings;
  settings.allow_unsigned = true;
  const auto made =
      platforms::make_declarative(*read, {settings, time, random});
  EVENTWEFT_CHECK(made.has_value());
  webhook w;
  w.method = "POST";
  w.headers.emplace_back("content-type", "application/json");
  w.headers.emplace_back("x-id", "1");
  w.body = shared_text{R"({"id":"1","type":"t","a":{"b":2}})"};
  (*made)->accept(w);
  return 0;
}
