// SPDX-License-Identifier: Apache-2.0
#include "auth/api_key.hpp"
#include "crypto/digest.hpp"
#include "tests/support/moments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace eventweft::auth {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

class keys : public testing::Test {
 protected:
  new_api_key make(std::string_view scopes = "read") {
    api_key wanted;
    wanted.name = "ci";
    wanted.scopes = *parse_scopes(scopes);
    auto made = make_api_key(wanted, at(0s), random);
    ring.add(made.record);
    return made;
  }

  seeded_random random{1};
  key_ring ring;
};

TEST_F(keys, have_an_id_and_256_bits_and_are_kept_as_a_hash) {
  const auto made = make();
  EXPECT_EQ(made.text.size(), 3u + 16 + 1 + 64);
  EXPECT_EQ(made.text.substr(0, 20), "ew_" + made.record.id + "_");
  EXPECT_EQ(made.record.hash,
            crypto::to_hex(crypto::digest(crypto::hash::sha256, made.text)));
  EXPECT_THAT(made.record.hash, Not(HasSubstr(made.text.substr(20))));
  EXPECT_EQ(made.record.created_at, at(0s));
  EXPECT_NE(make().text, make().text);
}

TEST_F(keys, open_what_they_were_made_for) {
  auto wanted = api_key{};
  wanted.scopes = *parse_scopes("ingest stream:pr_*");
  wanted.forced = filter{};
  wanted.forced->platforms = {"github"};
  wanted.expires_at = at(1h);
  const auto made = make_api_key(wanted, at(0s), random);
  ring.add(made.record);
  const auto who = ring.verify(made.text, at(1min));
  ASSERT_TRUE(who);
  EXPECT_EQ(who->how, principal::kind::api_key);
  EXPECT_EQ(who->id, made.record.id);
  EXPECT_EQ(who->scopes, wanted.scopes);
  EXPECT_EQ(who->forced, wanted.forced);
  EXPECT_EQ(who->expires, at(1h));
}

TEST_F(keys, that_are_wrong_in_any_way_open_nothing) {
  const auto made = make();
  const auto other = make();
  auto wrong_end = made.text;
  wrong_end.back() = wrong_end.back() == '0' ? '1' : '0';
  auto upper = made.text;
  for (auto& c : upper)
    if (c >= 'a' && c <= 'f')
      c = static_cast<char>(c - 'a' + 'A');
  for (const auto& text :
       {std::string{}, std::string{"ew_"}, made.text + "0",
        made.text.substr(0, made.text.size() - 1), wrong_end, upper,
        "xx_" + made.text.substr(3),
        made.text.substr(0, 20) + other.text.substr(20),
        "ew_0000000000000000_" + made.text.substr(20), made.record.hash,
        made.text.substr(0, 19) + "x" + made.text.substr(20),
        " " + made.text}) {
    const auto who = ring.verify(text, at(0s));
    ASSERT_FALSE(who) << text;
    EXPECT_EQ(who.error(),
              (error{ec::unauthorized, "the API key is not valid"}));
  }
}

TEST_F(keys, end_when_they_are_revoked) {
  const auto made = make();
  ASSERT_TRUE(ring.verify(made.text, at(0s)));
  EXPECT_TRUE(ring.revoke(made.record.id, at(1s)));
  EXPECT_FALSE(ring.verify(made.text, at(1s)));
  // Again changes nothing.
  EXPECT_TRUE(ring.revoke(made.record.id, at(9s)));
  EXPECT_EQ(ring.list()[0].revoked_at, at(1s));
  EXPECT_EQ(ring.revoke("nobody", at(0s)).error().code, ec::not_found);
}

TEST_F(keys, end_when_they_expire) {
  api_key wanted;
  wanted.expires_at = at(10s);
  const auto made = make_api_key(wanted, at(0s), random);
  ring.add(made.record);
  EXPECT_TRUE(ring.verify(made.text, at(10s - 1us)));
  EXPECT_FALSE(ring.verify(made.text, at(10s)));
}

TEST_F(keys, remember_their_last_use_to_the_minute) {
  const auto made = make();
  EXPECT_EQ(ring.list()[0].last_used_at, std::nullopt);
  EXPECT_THAT(ring.take_uses(), IsEmpty());
  ring.verify(made.text, at(0s));
  ring.verify(made.text, at(59s));
  EXPECT_EQ(ring.list()[0].last_used_at, at(0s));
  EXPECT_THAT(ring.take_uses(), ElementsAre(Pair(made.record.id, at(0s))));
  EXPECT_THAT(ring.take_uses(), IsEmpty());
  ring.verify(made.text, at(60s));
  EXPECT_THAT(ring.take_uses(), ElementsAre(Pair(made.record.id, at(60s))));
  // A key that does not hold is not used.
  ring.verify(made.text + "0", at(1h));
  EXPECT_THAT(ring.take_uses(), IsEmpty());
}

TEST_F(keys, loaded_again_keep_what_the_store_does_not_know_yet) {
  const auto a = make();
  const auto b = make();
  ring.verify(a.text, at(5min));
  auto stored = a.record;
  stored.last_used_at = at(1min);
  ring.load({stored});
  EXPECT_TRUE(ring.verify(a.text, at(5min)));
  EXPECT_FALSE(ring.verify(b.text, at(5min)));
  EXPECT_EQ(ring.list()[0].last_used_at, at(5min));
}

TEST_F(keys, stay_revoked_when_an_older_copy_is_loaded) {
  const auto a = make();
  ASSERT_TRUE(ring.revoke(a.record.id, at(5min)));
  ring.load({a.record});
  EXPECT_FALSE(ring.verify(a.text, at(6min)));
  EXPECT_EQ(ring.list()[0].revoked_at, at(5min));
}

TEST_F(keys, are_checked_and_revoked_side_by_side) {
  std::vector<new_api_key> all;
  for (int i = 0; i < 50; ++i)
    all.push_back(make());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round)
        for (const auto& k : all)
          ring.verify(k.text, at(0s));
    });
  for (const auto& k : all)
    EXPECT_TRUE(ring.revoke(k.record.id, at(0s)));
  for (auto& t : threads)
    t.join();
  for (const auto& k : all)
    EXPECT_FALSE(ring.verify(k.text, at(0s)));
}

} // namespace
} // namespace eventweft::auth
