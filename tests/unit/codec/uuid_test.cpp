// SPDX-License-Identifier: Apache-2.0
#include "messages/uuid.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace eventweft {
namespace {

using namespace std::chrono;

TEST(Uuid, ReadsAndWritesTheFormWithHyphens) {
  const auto id = uuid::parse("0190ABCD-ef01-7234-8567-89abcdef0123");
  ASSERT_TRUE(id);
  EXPECT_EQ(to_string(*id), "0190abcd-ef01-7234-8567-89abcdef0123");
  EXPECT_EQ(uuid::parse(to_string(*id)), id);
  EXPECT_EQ(id->bytes[0], 0x01);
  EXPECT_EQ(id->bytes[15], 0x23);
  std::string out = "x";
  append_to(out, *id);
  EXPECT_EQ(out, "x0190abcd-ef01-7234-8567-89abcdef0123");
  EXPECT_TRUE(uuid{}.is_nil());
  EXPECT_FALSE(id->is_nil());
}

TEST(Uuid, RefusesEverythingElse) {
  for (std::string_view bad : {"", "0190abcdef017234856789abcdef0123",
                               "0190abcd-ef01-7234-8567-89abcdef012",
                               "0190abcd-ef01-7234-8567-89abcdef01234",
                               "0190abcd-ef01-7234-8567_89abcdef0123",
                               "0190abcd-ef01-7234-8567-89abcdef012g",
                               "{190abcd-ef01-7234-8567-89abcdef012}",
                               "-190abcd-ef01-7234-8567-89abcdef0123"})
    EXPECT_EQ(uuid::parse(bad), std::nullopt) << bad;
}

TEST(Uuid, Version7HoldsTheTime) {
  seeded_random random{1};
  const timestamp t{milliseconds{0x0190abcdef01} + 500us};
  const auto id = uuid::v7(t, random);
  EXPECT_EQ(to_string(id).substr(0, 14), "0190abcd-ef01-");
  EXPECT_EQ(id.bytes[6] >> 4, 7);    // version
  EXPECT_EQ(id.bytes[8] >> 6, 0b10); // variant
  // Half a millisecond is half of the 12 bits.
  EXPECT_EQ((id.bytes[6] & 15) << 8 | id.bytes[7], 2048);
}

TEST(Uuid, LaterOnesSortLater) {
  seeded_random random{2};
  uuid last;
  for (int i = 0; i < 5'000; ++i) {
    const auto id =
        uuid::v7(timestamp{microseconds{1'700'000'000'000'000 + i}}, random);
    EXPECT_LT(last, id) << i;
    EXPECT_LT(to_string(last), to_string(id)) << i;
    last = id;
  }
}

TEST(Uuid, TheSameMomentGivesDifferentOnes) {
  system_random random;
  const auto now = system_clock{}.now();
  std::set<uuid> seen;
  for (int i = 0; i < 10'000; ++i)
    seen.insert(uuid::v7(now, random));
  EXPECT_EQ(seen.size(), 10'000u);
}

TEST(SeededRandom, Repeats) {
  seeded_random a{7}, b{7}, c{8};
  std::vector<uint64_t> from_a, from_b, from_c;
  for (int i = 0; i < 16; ++i) {
    from_a.push_back(a.next());
    from_b.push_back(b.next());
    from_c.push_back(c.next());
  }
  EXPECT_EQ(from_a, from_b);
  EXPECT_NE(from_a, from_c);
}

} // namespace
} // namespace eventweft
