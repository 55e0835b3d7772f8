// SPDX-License-Identifier: Apache-2.0
// The payload reader takes what another JSON parser takes, and nothing else;
// texts that SQL cannot read become texts that it can.
#include "codec/json_text.hpp"
#include "codec/payload.hpp"
#include "tests/fuzz/check.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

using namespace eventweft;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static codec::payload_reader reader;
  const auto text = as_text(data, size);
  const auto root = reader.parse(text);
  if (!root) {
    EVENTWEFT_CHECK(root.error().code == ec::malformed);
    EVENTWEFT_CHECK(codec::is_utf8(root.error().message));
    return 0;
  }
  const auto readable = reader.readable().view();
  EVENTWEFT_CHECK(readable == codec::readable_json(text).value_or(""));
  const auto plain = readable.empty() ? text : readable;
  EVENTWEFT_CHECK(!codec::readable_json(plain));
  boost::json::parse_options deep;
  deep.max_depth = 1'024;
  boost::json::error_code fault;
  boost::json::parse({plain.data(), plain.size()}, fault, {}, deep);
  EVENTWEFT_CHECK(!fault);
  std::string scratch;
  for (std::string_view pointer : {"", "/a", "/a/0", "/~1", "/repository/id"})
    codec::text_at(*root, pointer, scratch);
  std::string quoted;
  codec::append_quoted(quoted, text);
  EVENTWEFT_CHECK(codec::is_utf8(quoted));
  return 0;
}
