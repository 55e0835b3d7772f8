// SPDX-License-Identifier: Apache-2.0
// A filter that is accepted has a canonical text that reads back as an equal
// filter; matching never fails whatever the filter, and an index and an
// explanation agree with it.
#include "codec/filter.hpp"
#include "codec/filter_explain.hpp"
#include "codec/filter_index.hpp"
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
  codec::filter_index index;
  index.insert(1, first);
  index.insert(2, codec::compiled_filter{*parsed, filter{}});
  for (const auto* ev : {&usual, &nested}) {
    std::vector<uint64_t> found;
    index.match(*ev, found);
    EVENTWEFT_CHECK(found.size() == (first.matches(*ev) ? 2u : 0u));
    const auto told = codec::explain(*parsed, *ev);
    EVENTWEFT_CHECK(told.matched == first.matches(*ev));
    EVENTWEFT_CHECK(codec::is_utf8(codec::explanation_json(told)));
  }
  return 0;
}
