// SPDX-License-Identifier: Apache-2.0
#include "messages/time.hpp"

#include <gtest/gtest.h>

namespace eventweft {
namespace {

using namespace std::chrono;

timestamp noon() {
  return sys_days{2026y / January / 31} + 12h;
}

TEST(Rfc3339, AlwaysHasSixDigits) {
  EXPECT_EQ(to_rfc3339(noon()), "2026-01-31T12:00:00.000000Z");
  EXPECT_EQ(to_rfc3339(noon() + 1us), "2026-01-31T12:00:00.000001Z");
  EXPECT_EQ(to_rfc3339(timestamp{}), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(to_rfc3339(timestamp{-1us}), "1969-12-31T23:59:59.999999Z");
  std::string out = "x";
  append_rfc3339(out, noon());
  EXPECT_EQ(out, "x2026-01-31T12:00:00.000000Z");
}

TEST(Rfc3339, ReadsWhatTheStandardAllows) {
  EXPECT_EQ(parse_rfc3339("2026-01-31T12:00:00Z"), noon());
  EXPECT_EQ(parse_rfc3339("2026-01-31t12:00:00z"), noon());
  EXPECT_EQ(parse_rfc3339("2026-01-31T12:00:00.5Z"), noon() + 500ms);
  EXPECT_EQ(parse_rfc3339("2026-01-31T12:00:00.123456789Z"),
            noon() + 123'456us);
  // As many digits as anybody has.
  EXPECT_EQ(parse_rfc3339("2026-01-31T12:00:00.1234567890123456789012Z"),
            noon() + 123'456us);
  EXPECT_EQ(parse_rfc3339("2026-01-31T14:30:00+02:30"), noon());
  EXPECT_EQ(parse_rfc3339("2026-01-31T00:00:00-12:00"), noon());
  EXPECT_EQ(parse_rfc3339("2026-01-31T12:00:00-00:00"), noon());
  EXPECT_EQ(parse_rfc3339("2024-02-29T00:00:00Z"),
            timestamp{sys_days{2024y / February / 29}});
  // A leap second is the next minute's first.
  EXPECT_EQ(parse_rfc3339("2016-12-31T23:59:60Z"),
            timestamp{sys_days{2017y / January / 1}});
}

TEST(Rfc3339, RefusesEverythingElse) {
  for (std::string_view bad : {"",
                               "2026",
                               "2026-01-31",
                               "2026-01-31T12:00:00",
                               "2026-01-31T12:00Z",
                               "2026-01-31 12:00:00Z",
                               "2026-13-01T00:00:00Z",
                               "2026-02-29T00:00:00Z",
                               "2026-01-32T00:00:00Z",
                               "2026-00-01T00:00:00Z",
                               "2026-01-31T24:00:00Z",
                               "2026-01-31T12:60:00Z",
                               "2026-01-31T12:00:61Z",
                               "2026-01-31T12:00:00.Z",
                               "2026-01-31T12:00:00,5Z",
                               "2026-01-31T12:00:00+0200",
                               "2026-01-31T12:00:00+02",
                               "2026-01-31T12:00:00+24:00",
                               "2026-01-31T12:00:00+02:60",
                               "2026-01-31T12:00:00Zx",
                               " 2026-01-31T12:00:00Z",
                               "2026-1-31T12:00:00Z",
                               "+026-01-31T12:00:00Z",
                               "2026-01-31T12:00:00+"})
    EXPECT_EQ(parse_rfc3339(bad), std::nullopt) << bad;
}

// PostgreSQL refuses a row with a year 0, and a fifth digit has no place.
TEST(Rfc3339, KeepsToTheYearsThatCanBeStored) {
  EXPECT_EQ(parse_rfc3339("0001-01-01T00:00:00Z"),
            timestamp{sys_days{1y / January / 1}});
  EXPECT_EQ(parse_rfc3339("9999-12-31T23:59:59.999999Z"),
            timestamp{sys_days{std::chrono::year{10'000} / January / 1}} - 1us);
  for (std::string_view bad :
       {"0000-12-31T23:59:59Z", "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00", "9999-12-31T23:59:60Z"})
    EXPECT_EQ(parse_rfc3339(bad), std::nullopt) << bad;
}

TEST(Rfc3339, RoundTripsOverTheYears) {
  for (int year = 1900; year < 2200; year += 7)
    for (const auto part : {0us, 1us, 999'999us}) {
      const timestamp t =
          sys_days{std::chrono::year{year} / March / 1} - 1s + part;
      EXPECT_EQ(parse_rfc3339(to_rfc3339(t)), t) << year;
    }
}

TEST(Seconds, AreAFiniteNumberThatIsNotNegative) {
  EXPECT_EQ(parse_seconds("0"), 0);
  EXPECT_EQ(parse_seconds("0.1"), 0.1);
  EXPECT_EQ(parse_seconds("90"), 90);
  EXPECT_EQ(parse_seconds("1e-3"), 0.001);
  for (std::string_view bad :
       {"", " 1", "1 ", "1s", "-1", "+1", "nan", "inf", "1e400", "0x1", "1,5"})
    EXPECT_EQ(parse_seconds(bad), std::nullopt) << bad;
}

TEST(ManualClock, StandsStillUntilTold) {
  manual_clock clock{noon()};
  EXPECT_EQ(clock.now(), noon());
  EXPECT_EQ(clock.now(), noon());
  clock.advance(5s);
  EXPECT_EQ(clock.now(), noon() + 5s);
}

} // namespace
} // namespace eventweft
