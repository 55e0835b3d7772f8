// SPDX-License-Identifier: Apache-2.0
#include "persistence/credentials.hpp"
#include "tests/integration/persistence/store_fixture.hpp"

namespace eventweft::testing {
namespace {

using namespace std::chrono_literals;

class credential_contract : public store_contract {
 protected:
  credential_contract() : books_(store_->open_credentials()) {}

  auth::api_key key(int n) {
    seeded_random random{static_cast<uint64_t>(n)};
    auth::api_key wanted;
    wanted.name = "key " + std::to_string(n);
    wanted.scopes = *auth::parse_scopes("read stream:pr_*");
    auto made =
        auth::make_api_key(wanted, noon + std::chrono::seconds{n}, random);
    return made.record;
  }

  static auth::audit_entry entry(int n) {
    auth::audit_entry e;
    e.at = noon + std::chrono::minutes{n};
    e.actor_kind = "api_key";
    e.actor = n % 2 == 0 ? "even" : "odd";
    e.action = "POST /api/v1/keys";
    e.target = std::to_string(n);
    e.address = "192.0.2.1";
    e.status = 201;
    return e;
  }

  std::unique_ptr<credential_store> books_;
};

TEST_P(credential_contract, KeysComeBackAsTheyWere) {
  auto full = key(1);
  full.forced.emplace();
  full.forced->source_names = {"octo/*"};
  full.expires_at = noon + 24h;
  full.last_used_at = noon + 1min;
  auto bare = key(2);
  bare.name.clear();
  must(books_->add_key(full));
  must(books_->add_key(bare));
  auto want = std::vector{full, bare};
  std::ranges::sort(want, {}, &auth::api_key::id);
  EXPECT_EQ(must(books_->keys()), want);
  EXPECT_EQ(books_->add_key(full).error().code, ec::conflict);
  // Another process sees them too.
  EXPECT_EQ(must(open()->open_credentials()->keys()), want);
}

TEST_P(credential_contract, TheVersionTellsOfChanges) {
  const auto first = must(books_->version());
  must(books_->add_key(key(1)));
  const auto second = must(books_->version());
  EXPECT_GT(second, first);
  const std::vector uses{std::pair{key(1).id, timestamp{noon}}};
  must(books_->note_uses(uses));
  EXPECT_EQ(must(books_->version()), second);
  EXPECT_TRUE(must(books_->revoke_key(key(1).id, noon)));
  EXPECT_GT(must(open()->open_credentials()->version()), second);
}

TEST_P(credential_contract, RevokesOnceAndForGood) {
  must(books_->add_key(key(1)));
  EXPECT_FALSE(must(books_->revoke_key(key(2).id, noon)));
  EXPECT_TRUE(must(books_->revoke_key(key(1).id, noon + 1h)));
  EXPECT_TRUE(must(books_->revoke_key(key(1).id, noon + 2h)));
  EXPECT_EQ(must(books_->keys()).at(0).revoked_at, noon + 1h);
}

TEST_P(credential_contract, NotesTheLatestUse) {
  must(books_->add_key(key(1)));
  const auto note = [&](timestamp at) {
    const std::vector uses{std::pair{key(1).id, at},
                           std::pair{std::string(16, '0'), at}};
    must(books_->note_uses(uses));
  };
  note(noon + 2min);
  note(noon + 1min);
  EXPECT_EQ(must(books_->keys()).at(0).last_used_at, noon + 2min);
}

TEST_P(credential_contract, KeepsTheAuditTrailInOrder) {
  const std::vector some{entry(1), entry(2), entry(3)};
  must(books_->append_audit(some));
  auth::audit_query q;
  q.limit = 2;
  auto page = must(books_->audit(q));
  ASSERT_EQ(page.size(), 2u);
  EXPECT_GT(page[0].id, page[1].id);
  q.before = page[1].id;
  page = must(books_->audit(q));
  ASSERT_EQ(page.size(), 1u);
  page[0].id = 0;
  EXPECT_EQ(page[0], entry(1));
  q = {};
  q.actor = "odd";
  q.since = noon + 2min;
  page = must(books_->audit(q));
  ASSERT_EQ(page.size(), 1u);
  EXPECT_EQ(page[0].target, "3");
  q = {};
  q.until = noon + 2min;
  q.action = "POST /api/v1/keys";
  q.target = "1";
  EXPECT_EQ(must(books_->audit(q)).size(), 1u);
}

TEST_P(credential_contract, LetsGoOfOldEntries) {
  const std::vector some{entry(1), entry(2), entry(3)};
  must(books_->append_audit(some));
  EXPECT_EQ(must(books_->trim_audit(noon + 3min, 1)), 1);
  EXPECT_EQ(must(books_->trim_audit(noon + 3min, 10)), 1);
  EXPECT_EQ(must(books_->trim_audit(noon + 3min, 10)), 0);
  EXPECT_EQ(must(books_->audit({})).at(0).target, "3");
}

INSTANTIATE_TEST_SUITE_P(Engines, credential_contract, both_engines,
                         engine_name);

} // namespace
} // namespace eventweft::testing
