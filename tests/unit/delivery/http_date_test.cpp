// SPDX-License-Identifier: Apache-2.0
#include "delivery/http_date.hpp"
#include "tests/support/moments.hpp"

#include <gtest/gtest.h>

#include <string>

namespace eventweft::delivery {
namespace {

using namespace std::chrono_literals;

TEST(parse_http_date, reads_all_three_forms) {
  // RFC 9110's own examples
  const auto wanted = *parse_rfc3339("1994-11-06T08:49:37Z");
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", noon()), wanted);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", noon()), wanted);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994", noon()), wanted);
}

TEST(parse_http_date, takes_two_digits_for_the_nearer_century) {
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-76 08:49:37 GMT", noon()),
            *parse_rfc3339("2076-11-06T08:49:37Z"));
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-77 08:49:37 GMT", noon()),
            *parse_rfc3339("1977-11-06T08:49:37Z"));
}

TEST(parse_http_date, refuses_anything_else) {
  for (const std::string text :
       {"", "GMT", ", GMT", "soon", "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Now 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT", "Sun, 6-Nov-94 08:49:37 GMT",
        "1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 GMT GMT"})
    EXPECT_FALSE(parse_http_date(text, noon())) << text;
}

TEST(parse_retry_after, reads_seconds) {
  EXPECT_EQ(parse_retry_after("120", noon()), 120s);
  EXPECT_EQ(parse_retry_after(" 0 ", noon()), 0s);
  EXPECT_EQ(parse_retry_after("99999999999999999999999", noon()), 366 * 24h);
}

TEST(parse_retry_after, reads_dates_and_takes_the_past_for_now) {
  EXPECT_EQ(parse_retry_after("Sat, 31 Jan 2026 12:02:00 GMT", noon()), 2min);
  EXPECT_EQ(parse_retry_after("Sat, 31 Jan 2026 11:00:00 GMT", noon()), 0s);
}

TEST(parse_retry_after, ignores_nonsense) {
  for (const std::string text : {"", " ", "-1", "1.5", "1s", "1 2", "0x10"})
    EXPECT_FALSE(parse_retry_after(text, noon())) << text;
}

} // namespace
} // namespace eventweft::delivery
