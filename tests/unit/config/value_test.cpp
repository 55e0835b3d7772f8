// SPDX-License-Identifier: Apache-2.0
#include "config/value.hpp"
#include "tests/unit/config/support.hpp"

#include <gtest/gtest.h>

namespace eventweft::config {
namespace {

using namespace std::chrono_literals;

TEST(Value, ReadsSizes) {
  EXPECT_EQ(parse_bytes("0"), 0u);
  EXPECT_EQ(parse_bytes("1024"), 1024u);
  EXPECT_EQ(parse_bytes("25 MiB"), 25u << 20);
  EXPECT_EQ(parse_bytes("25MiB"), 25u << 20);
  EXPECT_EQ(parse_bytes(" 2 GiB "), 2ull << 30);
  EXPECT_EQ(parse_bytes("7 B"), 7u);
  for (std::string_view bad :
       {"", "MiB", "-1", "1.5 MiB", "1 MB", "1 mib", "1 MiB x",
        "99999999999999999999", "18446744073709551615 KiB"})
    EXPECT_EQ(parse_bytes(bad), std::nullopt) << bad;
}

TEST(Value, WritesSizesSoThatTheyReadBack) {
  for (uint64_t n : {0ull, 1ull, 1023ull, 1024ull, 1536ull, 25ull << 20,
                     (25ull << 20) + 1, 1ull << 40})
    EXPECT_EQ(parse_bytes(bytes_text(n)), n);
  EXPECT_EQ(bytes_text(25u << 20), "25 MiB");
  EXPECT_EQ(bytes_text(0), "0");
}

TEST(Value, ReadsFractionsOfSeconds) {
  const auto e = from_text("[store]\nretry_min = 0.0015\nretry_max = 7\n");
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_EQ(e->values.store.retry_min, 2ms);
  EXPECT_EQ(e->values.store.retry_max, 7s);
  for (std::string_view bad :
       {"-1", "nan", "inf", "1e300", "\"1 s\"", "\"1\"", "[1]", "3601"})
    EXPECT_FALSE(from_text("[store]\nretry_min = " + std::string{bad} +
                           "\nretry_max = 3600\n"))
        << bad;
  // Not zero, so it must not become "none at all".
  const auto small = from_text("[event]\nqueue_wait = 0.00001\n");
  ASSERT_TRUE(small);
  EXPECT_EQ(small->values.event.queue_wait, 1ms);
}

TEST(Value, WritesSecondsShortly) {
  EXPECT_EQ(seconds_text(0ms), "0");
  EXPECT_EQ(seconds_text(50ms), "0.05");
  EXPECT_EQ(seconds_text(2'500ms), "2.5");
  EXPECT_EQ(seconds_text(75s), "75");
  EXPECT_EQ(seconds_text(1'001ms), "1.001");
}

TEST(Value, MasksPasswordsWhereverTheyStand) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"sqlite:eventweft.db", "sqlite:eventweft.db"},
      {"postgresql://u:pw@h/d", "postgresql://u:***@h/d"},
      {"postgresql://u:p@w/x?y@h:5/d", "postgresql://u:***@h:5/d"},
      {"postgresql://u@h:5432/d", "postgresql://u@h:5432/d"},
      {"postgresql:///d?user=u&password=pw&host=h",
       "postgresql:///d?user=u&password=***&host=h"},
      {"host=h password=pw user=u", "host=h password=*** user=u"},
      {"host=h password = 'p w\\' x' user=u", "host=h password =*** user=u"},
      {"host=h password=", "host=h password=***"},
      {"host=h password='open", "host=h password=***"},
      {"dbname=password", "dbname=password"},
  };
  for (const auto& [url, masked] : cases)
    EXPECT_EQ(mask_url(url), masked) << url;
}

TEST(Value, MasksWhatAWebAddressProvesItselfWith) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", ""},
      {"https://h/a@b:c", "https://h/a@b:c"},
      {"http://u:p@w@h:8/x", "http://u:***@h:8/x"},
      {"https://token@h/x?y=@", "https://***@h/x?y=@"},
      {"u:pw@h", "u:***@h"},
  };
  for (const auto& [url, masked] : cases)
    EXPECT_EQ(mask_web_url(url), masked) << url;
}

TEST(Value, QuotesControlCharacters) {
  EXPECT_EQ(in_quotes("a\"b\\c\n\x1b"), "\"a\\\"b\\\\c\\n\\u001b\"");
}

} // namespace
} // namespace eventweft::config
