// SPDX-License-Identifier: Apache-2.0
#include "auth/doorkeeper.hpp"
#include "tests/unit/auth/vectors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace eventweft::auth {
namespace {

using namespace std::chrono_literals;

class at_the_door : public testing::Test {
 protected:
  doorkeeper& open(door_options options = {}) {
    door = std::make_unique<doorkeeper>(options, ring, time, random);
    return *door;
  }

  static door_options unlimited() {
    door_options out;
    out.keys.per_second = out.addresses.per_second = out.webhooks.per_second =
        out.failures.per_second = 0;
    return out;
  }

  std::string key(std::string_view scopes, std::string_view source = {}) {
    api_key wanted;
    wanted.scopes = *parse_scopes(scopes);
    if (!source.empty()) {
      wanted.forced.emplace();
      wanted.forced->source_names = {std::string{source}};
    }
    auto made = make_api_key(wanted, time.now(), random);
    ring->add(made.record);
    last_id = made.record.id;
    return "Bearer " + made.text;
  }

  admission ask(needs what, std::string_view authorization = {}) {
    visit v;
    v.what = what;
    v.stream = "pr_events";
    v.authorization = authorization;
    v.address = "192.0.2.1";
    return door->admit(v);
  }

  manual_clock time{*parse_rfc3339("2026-01-31T12:00:00Z")};
  seeded_random random{1};
  std::shared_ptr<key_ring> ring = std::make_shared<key_ring>();
  std::unique_ptr<doorkeeper> door;
  std::string last_id;
};

TEST_F(at_the_door, WithoutAnyKeyEverybodyMayEverything) {
  open(unlimited()).keys_are_known();
  EXPECT_FALSE(door->enforced());
  for (const auto n : {needs::ingest, needs::read, needs::visible,
                       needs::stream, needs::anybody, needs::admin}) {
    const auto who = ask(n);
    ASSERT_TRUE(who);
    EXPECT_EQ(who->how, principal::kind::anonymous);
  }
  // What nobody has decided about is for nobody.
  EXPECT_FALSE(ask(needs::undecided));
}

TEST_F(at_the_door, WhileTheKeysAreNotKnownNobodyComesIn) {
  open(unlimited());
  EXPECT_TRUE(door->enforced());
  EXPECT_EQ(ask(needs::read).error().why.code, ec::store_unavailable);
  EXPECT_TRUE(ask(needs::signature));
  EXPECT_TRUE(ask(needs::nothing));
  door->keys_are_known();
  EXPECT_TRUE(ask(needs::read));
}

TEST_F(at_the_door, TheFirstKeyLocksItForGood) {
  open(unlimited()).keys_are_known();
  EXPECT_TRUE(ask(needs::read));
  const auto reader = key("read");
  EXPECT_EQ(ask(needs::read).error().reason, "missing");
  EXPECT_TRUE(ask(needs::read, reader));
  ASSERT_TRUE(ring->revoke(last_id, time.now()));
  EXPECT_EQ(ask(needs::read, reader).error().reason, "invalid");
  ring->load({});
  EXPECT_EQ(ask(needs::read).error().reason, "missing");
}

TEST_F(at_the_door, TokensLockItToo) {
  open(unlimited()).keys_are_known();
  door->replace_tokens(std::make_shared<const jwt_verifier>(
      jwt_options{}, *parse_jwt_keys(vectors::key_set)));
  EXPECT_EQ(ask(needs::read).error().reason, "missing");
  const auto who =
      ask(needs::visible, "Bearer " + std::string{vectors::ed_token});
  ASSERT_TRUE(who) << who.error().why.message;
  EXPECT_EQ(who->id, "ci");
  // A broken key file does not open the door.
  door->replace_tokens(nullptr);
  EXPECT_EQ(ask(needs::read).error().reason, "missing");
}

TEST_F(at_the_door, ItsModesWin) {
  auto options = unlimited();
  options.required = door_options::mode::never;
  open(options).keys_are_known();
  const auto reader = key("read", "octo/*");
  EXPECT_TRUE(ask(needs::admin));
  EXPECT_TRUE(ask(needs::admin, "Bearer nonsense"));
  // Who says who they are is taken at their word, and at their filter.
  EXPECT_TRUE(ask(needs::visible, reader)->forced);
  ring->load({});
  options.required = door_options::mode::always;
  open(options).keys_are_known();
  EXPECT_EQ(ask(needs::read).error().why.code, ec::unauthorized);
}

TEST_F(at_the_door, AForcedFilterSeesNoWhole) {
  open(unlimited()).keys_are_known();
  const auto tenant = key("read", "octo/*");
  EXPECT_TRUE(ask(needs::visible, tenant));
  EXPECT_TRUE(ask(needs::stream, tenant));
  const auto whole = ask(needs::read, tenant);
  ASSERT_FALSE(whole);
  EXPECT_EQ(whole.error().why.code, ec::forbidden);
}

TEST_F(at_the_door, EventsMayProveThemselves) {
  auto options = unlimited();
  open(options).keys_are_known();
  const auto writer = key("ingest");
  EXPECT_FALSE(ask(needs::ingest));
  EXPECT_EQ(ask(needs::ingest, writer)->how, principal::kind::api_key);
  options.ingest_proves_itself = true;
  open(options).keys_are_known();
  EXPECT_EQ(ask(needs::ingest)->how, principal::kind::anonymous);
  // A key that holds but may not is not waved through.
  EXPECT_EQ(ask(needs::ingest, key("read")).error().why.code, ec::forbidden);
  visit v;
  v.what = needs::ingest;
  v.access_token = std::string_view{writer}.substr(7);
  EXPECT_EQ(door->admit(v)->how, principal::kind::api_key);
}

TEST_F(at_the_door, ATicketIsForItsStreamOnceAndDiesWithItsKey) {
  open(unlimited()).keys_are_known();
  const auto who = *ask(needs::anybody, key("stream:pr_*", "octo/*"));
  visit v;
  v.what = needs::stream;
  v.stream = "pr_events";
  const auto ticket = *door->issue(who, "pr_events");
  v.ticket = ticket;
  const auto bearer = door->admit(v);
  ASSERT_TRUE(bearer);
  EXPECT_EQ(bearer->key, last_id);
  EXPECT_TRUE(bearer->forced);
  EXPECT_EQ(door->admit(v).error().reason, "ticket");
  const auto second = *door->issue(who, "pr_events");
  v.ticket = second;
  ASSERT_TRUE(ring->revoke(last_id, time.now()));
  EXPECT_EQ(door->admit(v).error().reason, "ticket");
  EXPECT_FALSE(door->issue(who, "other"));
}

TEST_F(at_the_door, CountsByKeyAndByAddress) {
  auto options = unlimited();
  options.keys = {1, 2, 100};
  open(options).keys_are_known();
  const auto one = key("read");
  const auto other = key("read");
  EXPECT_TRUE(ask(needs::read, one));
  EXPECT_TRUE(ask(needs::read, one));
  const auto no = ask(needs::read, one);
  ASSERT_FALSE(no);
  EXPECT_EQ(no.error().why.code, ec::too_many_requests);
  EXPECT_EQ(no.error().retry_after, 1s);
  EXPECT_TRUE(ask(needs::read, other));
  time.advance(1s);
  EXPECT_TRUE(ask(needs::read, one));

  options = unlimited();
  options.addresses = {1, 2, 100};
  options.webhooks = {1, 1, 100};
  open(options).keys_are_known();
  EXPECT_TRUE(ask(needs::read, one));
  EXPECT_TRUE(ask(needs::read, other));
  EXPECT_EQ(ask(needs::read, other).error().reason, "rate");
  EXPECT_TRUE(ask(needs::signature));
  EXPECT_EQ(ask(needs::signature).error().reason, "rate");
  EXPECT_TRUE(ask(needs::nothing));
}

TEST_F(at_the_door, WhoGuessesHasToWait) {
  auto options = unlimited();
  options.failures = {1, 3, 100};
  open(options).keys_are_known();
  const auto good = key("read");
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(ask(needs::read, "Bearer guess").error().why.code,
              ec::unauthorized);
  EXPECT_EQ(ask(needs::read, "Bearer guess").error().why.code,
            ec::too_many_requests);
  EXPECT_TRUE(ask(needs::read, good));
}

TEST_F(at_the_door, KnowsWhoIsNobodyByNow) {
  open(unlimited()).keys_are_known();
  const auto anybody = ask(needs::stream);
  ASSERT_TRUE(anybody);
  EXPECT_TRUE(door->alive(standing_of(*anybody)));
  const auto ticket = *door->issue(*anybody, "pr_events");
  const auto bearer = key("read");
  const auto someone = ask(needs::stream, bearer);
  ASSERT_TRUE(someone);
  // The first key: from now on there is more to show than nothing.
  const auto gone = door->alive(standing_of(*anybody));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ec::unauthorized);
  visit v;
  v.what = needs::stream;
  v.stream = "pr_events";
  v.ticket = ticket;
  EXPECT_EQ(door->admit(v).error().reason, "ticket");
  EXPECT_TRUE(door->alive(standing_of(*someone)));
  ASSERT_TRUE(ring->revoke(last_id, time.now()));
  EXPECT_FALSE(door->alive(standing_of(*someone)));
}

TEST_F(at_the_door, TokensEndWithTheirKey) {
  open(unlimited()).keys_are_known();
  const auto use = [&](std::string_view keys) {
    door->replace_tokens(std::make_shared<const jwt_verifier>(
        jwt_options{}, *parse_jwt_keys(keys)));
  };
  use(vectors::key_set);
  const auto who =
      ask(needs::stream, "Bearer " + std::string{vectors::ed_token});
  ASSERT_TRUE(who);
  const auto in = standing_of(*who);
  EXPECT_FALSE(in.signer.empty());
  EXPECT_TRUE(door->alive(in));
  const auto ticket = *door->issue(*who, "pr_events");
  // The same file once more.
  use(vectors::key_set);
  EXPECT_TRUE(door->alive(in));
  use(vectors::rsa_pem);
  EXPECT_FALSE(door->alive(in));
  visit v;
  v.what = needs::stream;
  v.stream = "pr_events";
  v.ticket = ticket;
  EXPECT_EQ(door->admit(v).error().reason, "ticket");
}

TEST_F(at_the_door, TellsOfRevokedKeys) {
  open(unlimited());
  int told = 0;
  door->tell_revoked();
  door->on_revoked([&told] { ++told; });
  door->tell_revoked();
  door->on_revoked(nullptr);
  door->tell_revoked();
  EXPECT_EQ(told, 1);
}

} // namespace
} // namespace eventweft::auth
