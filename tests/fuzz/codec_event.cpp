// SPDX-License-Identifier: Apache-2.0
// An event that is read can be written, and then reads as the same event.
#include "codec/event_json.hpp"
#include "codec/json_text.hpp"
#include "tests/fuzz/check.hpp"

using namespace eventweft;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto ev = codec::parse_native(as_text(data, size));
  if (!ev) {
    EVENTWEFT_CHECK(ev.error().code == ec::malformed);
    return 0;
  }
  std::string once;
  codec::append_native(once, *ev);
  EVENTWEFT_CHECK(codec::is_utf8(once));
  const auto again = codec::parse_native(once);
  EVENTWEFT_CHECK(again.has_value());
  std::string twice;
  codec::append_native(twice, *again);
  EVENTWEFT_CHECK(once == twice);
  std::string cloud;
  codec::append_cloudevent(cloud, *ev);
  EVENTWEFT_CHECK(codec::is_utf8(cloud));
  return 0;
}
