// SPDX-License-Identifier: Apache-2.0
#include "app/access_bridge.hpp"
#include "tests/support/eventually.hpp"
#include "tests/unit/auth/vectors.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>

namespace eventweft {
namespace {

using namespace std::chrono_literals;
using auth::needs;

/// The server's access control over a SQLite store, beside which another
/// process works.
class access_bridge_test : public ::testing::Test {
 protected:
  access_bridge_test() {
    auto pattern =
        (std::filesystem::temp_directory_path() / "access-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    store_options options;
    options.url = "sqlite:" + (directory_ / "log.db").string();
    store_ = *open_store(options);
    EXPECT_TRUE(store_->migrate());
    beside_ = store_->open_credentials();
    options_.interval = 20ms;
    options_.note_interval = 20ms;
    options_.limits.failure_rate = 0;
  }

  ~access_bridge_test() override {
    access_.reset();
    beside_.reset();
    std::filesystem::remove_all(directory_);
  }

  expected<void> start() {
    access_ = std::make_unique<access_bridge>(store_, options_, time_, random_,
                                              null_logger());
    access_->at_intervals([this] { ++rounds_; });
    return access_->start();
  }

  auth::new_api_key made(std::string_view scopes) {
    auth::api_key wanted;
    wanted.scopes = *auth::parse_scopes(scopes);
    return auth::make_api_key(wanted, time_.now(), random_);
  }

  auth::admission ask(needs what, std::string_view authorization) {
    auth::visit v;
    v.what = what;
    v.authorization = authorization;
    v.address = "127.0.0.1";
    return access_->door().admit(v);
  }

  static bool soon(const std::function<bool()>& condition) {
    return testing::eventually(condition, 10s);
  }

  template <class T, class Call>
  expected<T> answer_of(Call call) {
    std::promise<expected<T>> answer;
    call(net::reply_to<T>{
        [&](expected<T> x) { answer.set_value(std::move(x)); }});
    return answer.get_future().get();
  }

  std::filesystem::path directory_;
  store_ptr store_;
  std::unique_ptr<credential_store> beside_;
  access_options options_;
  system_clock time_;
  system_random random_;
  /// How often it has looked at the store and at its files.
  std::atomic<int> rounds_ = 0;
  std::unique_ptr<access_bridge> access_;
};

TEST_F(access_bridge_test, SeesWhatOthersDoToTheKeys) {
  ASSERT_TRUE(start());
  EXPECT_TRUE(ask(needs::admin, ""));
  const auto key = made("read");
  ASSERT_TRUE(beside_->add_key(key.record));
  EXPECT_TRUE(soon([&] { return !ask(needs::read, ""); }));
  EXPECT_TRUE(ask(needs::read, "Bearer " + key.text));
  std::atomic<int> told = 0;
  access_->door().on_revoked([&told] { ++told; });
  ASSERT_TRUE(beside_->revoke_key(key.record.id, time_.now()));
  EXPECT_TRUE(soon([&] { return told > 0; }));
  EXPECT_FALSE(ask(needs::read, "Bearer " + key.text));
  access_->door().on_revoked(nullptr);
}

TEST_F(access_bridge_test, TellsOfTheFirstKey) {
  ASSERT_TRUE(start());
  std::atomic<int> told = 0;
  access_->door().on_revoked([&told] { ++told; });
  const auto anybody = ask(needs::stream, "");
  ASSERT_TRUE(anybody);
  auth::api_key wanted;
  wanted.scopes = *auth::parse_scopes("read");
  ASSERT_TRUE(answer_of<auth::new_api_key>(
      [&](auto reply) { access_->create_key(wanted, reply); }));
  EXPECT_GT(told, 0);
  EXPECT_FALSE(access_->door().alive(auth::standing_of(*anybody)));
  access_->door().on_revoked(nullptr);
}

/// The store, which has not heard of it, can't take it back either.
TEST_F(access_bridge_test, WhatOthersRevokedOpensNothingBeforeTheStoreSaysSo) {
  const auto key = made("read");
  ASSERT_TRUE(beside_->add_key(key.record));
  ASSERT_TRUE(start());
  ASSERT_TRUE(ask(needs::read, "Bearer " + key.text));
  std::atomic<int> told = 0;
  access_->door().on_revoked([&told] { ++told; });
  access_->revoked("0123456789abcdef");
  EXPECT_EQ(told, 0);
  access_->revoked(key.record.id);
  EXPECT_EQ(told, 1);
  EXPECT_FALSE(ask(needs::read, "Bearer " + key.text));
  ASSERT_TRUE(beside_->add_key(made("read").record));
  EXPECT_TRUE(soon([&] { return told > 1; }));
  EXPECT_FALSE(ask(needs::read, "Bearer " + key.text));
  access_->door().on_revoked(nullptr);
}

TEST_F(access_bridge_test, MakesListsAndRevokes) {
  ASSERT_TRUE(start());
  std::vector<std::pair<std::string, bool>> announced;
  access_->on_change([&](const std::string& id, bool revoked) {
    announced.emplace_back(id, revoked);
  });
  auth::api_key wanted;
  wanted.name = "ci";
  wanted.scopes = *auth::parse_scopes("ingest");
  const auto key = answer_of<auth::new_api_key>(
      [&](auto reply) { access_->create_key(wanted, reply); });
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_TRUE(ask(needs::ingest, "Bearer " + key->text));
  EXPECT_EQ(beside_->keys()->at(0).name, "ci");
  // The use is written down, without the key's version changing.
  EXPECT_TRUE(
      soon([&] { return beside_->keys()->at(0).last_used_at.has_value(); }));
  const auto all = answer_of<std::vector<auth::api_key>>(
      [&](auto reply) { access_->list_keys(reply); });
  ASSERT_EQ(all->size(), 1u);
  EXPECT_TRUE(all->at(0).last_used_at);
  const auto id = key->record.id;
  const auto revoke = [&](const std::string& which) {
    return answer_of<bool>(
        [&](auto reply) { access_->revoke_key(which, reply); });
  };
  EXPECT_EQ(revoke("0000000000000000"), false);
  EXPECT_EQ(revoke(id), true);
  EXPECT_FALSE(ask(needs::ingest, "Bearer " + key->text));
  EXPECT_EQ(announced, (std::vector<std::pair<std::string, bool>>{{id, false},
                                                                  {id, true}}));
}

TEST_F(access_bridge_test, WritesTheAuditTrailAndLosesNoneAtItsEnd) {
  ASSERT_TRUE(start());
  auth::audit_entry entry;
  entry.at = time_.now();
  entry.actor = "somebody";
  entry.action = "POST /api/v1/keys";
  for (int i = 0; i < 1'500; ++i) {
    entry.status = i;
    EXPECT_TRUE(access_->can_record());
    access_->record(entry);
  }
  auth::audit_query q;
  q.limit = 1;
  const auto page = answer_of<std::vector<auth::audit_entry>>(
      [&](auto reply) { access_->audit(q, reply); });
  EXPECT_EQ(page->at(0).status, 1'499);
  access_->record(entry);
  access_.reset();
  q.limit = 5'000;
  EXPECT_EQ(beside_->audit(q)->size(), 1'501u);
}

TEST_F(access_bridge_test, ReadsTokenKeysAgainAndKeepsGoodOnes) {
  const auto file = (directory_ / "keys.json").string();
  std::ofstream{file} << auth::vectors::ed_pem;
  options_.auth.jwt_keys = file;
  ASSERT_TRUE(start());
  // It expired in January; what is told apart here is whether its signature
  // holds.
  const auto reason = [&](std::string_view token) {
    const auto who = ask(needs::read, "Bearer " + std::string{token});
    return who ? std::string{} : who.error().why.message;
  };
  const auto holds = reason(auth::vectors::ed_token);
  const auto fails = reason(auth::vectors::pyjwt_rsa_token);
  ASSERT_NE(holds, fails);
  std::ofstream{file} << "nothing of use";
  // The first one from now on may have begun before.
  ASSERT_TRUE(
      soon([this, before = rounds_.load()] { return rounds_ >= before + 2; }));
  EXPECT_EQ(reason(auth::vectors::ed_token), holds);
  std::ofstream{file} << auth::vectors::rsa_pem;
  EXPECT_TRUE(soon([&] { return reason(auth::vectors::ed_token) == fails; }));
  EXPECT_EQ(reason(auth::vectors::pyjwt_rsa_token), holds);
}

TEST_F(access_bridge_test, RefusesToStartWithTokenKeysOfNoUse) {
  options_.auth.jwt_keys = (directory_ / "nowhere.json").string();
  auto started = start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ec::bad_configuration);
  EXPECT_NE(started.error().message.find("[auth] jwt_keys"), std::string::npos);
  options_.auth.jwt_keys.clear();
  options_.auth.jwt_secret = "short";
  EXPECT_FALSE(start());
}

TEST_F(access_bridge_test, WhileTheStoreIsAwayNobodyComesIn) {
  std::filesystem::rename(directory_ / "log.db", directory_ / "away.db");
  std::filesystem::remove(directory_ / "log.db-wal");
  std::filesystem::remove(directory_ / "log.db-shm");
  beside_.reset();
  std::filesystem::create_directory(directory_ / "log.db");
  ASSERT_TRUE(start());
  EXPECT_TRUE(access_->door().enforced());
  EXPECT_EQ(ask(needs::read, "").error().why.code, ec::store_unavailable);
  std::filesystem::remove(directory_ / "log.db");
  std::filesystem::rename(directory_ / "away.db", directory_ / "log.db");
  EXPECT_TRUE(soon([&] { return ask(needs::read, "").has_value(); }));
}

} // namespace
} // namespace eventweft
