// SPDX-License-Identifier: Apache-2.0
// Start points, times, ids and wildcards: what is accepted can be written and
// read again.
#include "codec/filter.hpp"
#include "messages/uuid.hpp"
#include "tests/fuzz/check.hpp"

using namespace eventweft;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto text = as_text(data, size);
  if (const auto since = codec::parse_since(text))
    EVENTWEFT_CHECK(since->from != start_point::kind::after_seq ||
                    since->seq >= 0);
  if (const auto time = parse_rfc3339(text)) {
    // The first and last hours of the four-digit years may leave them.
    const auto year =
        std::chrono::year_month_day{
            std::chrono::floor<std::chrono::days>(*time)}
            .year();
    if (year >= std::chrono::year{0} && year <= std::chrono::year{9999})
      EVENTWEFT_CHECK(parse_rfc3339(to_rfc3339(*time)) == time);
  }
  if (const auto id = uuid::parse(text))
    EVENTWEFT_CHECK(uuid::parse(to_string(*id)) == id);
  const auto half = text.substr(0, size / 2);
  codec::wildcard_match(half, text.substr(half.size()));
  if (text.find('*') == std::string_view::npos)
    EVENTWEFT_CHECK(codec::wildcard_match(text, text));
  return 0;
}
