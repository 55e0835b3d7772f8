// SPDX-License-Identifier: Apache-2.0
// A filter that is accepted has a canonical text that reads back as an equal
// filter, and matching never fails whatever the filter.
#include "codec/filter.hpp"
#include "codec/json_text.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/unit/codec/support.hpp"

using namespace eventweft;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto text = as_text(data, size);
  const auto parsed = codec::parse_filter(text);
  if (!parsed) {
    EVENTWEFT_CHECK(!parsed.error().message.empty());
    return 0;
  }
  const auto canonical = codec::filter_json(*parsed);
  EVENTWEFT_CHECK(codec::is_utf8(canonical));
  const auto again = codec::parse_filter(canonical);
  EVENTWEFT_CHECK(again.has_value());
  EVENTWEFT_CHECK(codec::filter_json(*again) == canonical);
  const codec::compiled_filter first{*parsed};
  const codec::compiled_filter second{*again};
  EVENTWEFT_CHECK(first.key() == second.key());
  static const event usual = codec::full_event();
  static const event nested = codec::event_with_payload(
      R"({"a":{"b":[{"c":1},"x",null]},"a.b":{"c":true},"":{"":0}})");
  EVENTWEFT_CHECK(first.matches(usual) == second.matches(usual));
  EVENTWEFT_CHECK(first.matches(nested) == second.matches(nested));
  return 0;
}
