// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/persistence/store_fixture.hpp"

namespace eventweft::testing {
namespace {

using dead_letter_contract = store_contract;

dead_letter letter(int n) {
  auto e = numbered_event(n);
  dead_letter d;
  d.id = e.id;
  d.created_at = e.created_at;
  d.origin = "processor:notify";
  d.reason = "it said 'no' " + std::to_string(n);
  d.attempts = 3;
  d.event_id = numbered_event(n + 100).id;
  d.history = {{noon, "it said 'no'"}, {noon + std::chrono::seconds{1}, "no"}};
  d.event_seq = n + 100;
  d.platform = "github";
  d.event_type = "push";
  d.body = std::string{"raw\0bytes\xFF", 10};
  return d;
}

dead_letter_query first(size_t limit) {
  dead_letter_query q;
  q.limit = limit;
  return q;
}

TEST_P(dead_letter_contract, ComesBackAsItWas) {
  auto bare = letter(2);
  bare.event_id.reset();
  bare.event_seq = 0;
  bare.history.clear();
  bare.platform = bare.event_type = bare.body = "";
  must(session_->add_dead_letter(letter(1)));
  must(session_->add_dead_letter(bare));
  EXPECT_EQ(must(session_->dead_letters(first(10))),
            (std::vector{bare, letter(1)}));
}

TEST_P(dead_letter_contract, NewestFirstInPages) {
  for (int n = 1; n <= 5; ++n)
    must(session_->add_dead_letter(letter(n)));
  auto page = must(session_->dead_letters(first(2)));
  EXPECT_EQ(page, (std::vector{letter(5), letter(4)}));
  auto next = first(10);
  next.before = page.back().id;
  page = must(session_->dead_letters(next));
  EXPECT_EQ(page, (std::vector{letter(3), letter(2), letter(1)}));
}

TEST_P(dead_letter_contract, FindsWhatIsAskedFor) {
  auto webhook = letter(2);
  webhook.origin = "subscription:0190";
  webhook.platform = "slack";
  webhook.event_type = "message";
  auto spooled = letter(3);
  spooled.origin = "spool";
  spooled.event_type = "pushed";
  for (const auto& d : {letter(1), webhook, spooled})
    must(session_->add_dead_letter(d));
  auto ask = [&](auto set) {
    auto q = first(10);
    set(q);
    return must(session_->dead_letters(q));
  };
  using letters = std::vector<dead_letter>;
  EXPECT_EQ(ask([&](auto& q) { q.id = webhook.id; }), letters{webhook});
  EXPECT_EQ(ask([](auto& q) { q.origin = "processor:notify"; }),
            letters{letter(1)});
  EXPECT_EQ(ask([](auto& q) { q.origin = "processor"; }), letters{letter(1)});
  EXPECT_EQ(ask([](auto& q) { q.origin = "proc"; }), letters{});
  EXPECT_EQ(ask([](auto& q) { q.origin = "spool"; }), letters{spooled});
  EXPECT_EQ(ask([](auto& q) { q.platforms = {"slack"}; }), letters{webhook});
  EXPECT_EQ(ask([](auto& q) {
              q.platforms = {"slack", "github", "other"};
            }),
            (letters{spooled, webhook, letter(1)}));
  EXPECT_EQ(ask([](auto& q) { q.event_types = {"push"}; }), letters{letter(1)});
  EXPECT_EQ(ask([](auto& q) {
              q.event_types = {"push", "message"};
            }),
            (letters{webhook, letter(1)}));
  EXPECT_EQ(ask([&](auto& q) { q.event_id = spooled.event_id; }),
            letters{spooled});
  EXPECT_EQ(ask([&](auto& q) { q.since = webhook.created_at; }),
            (letters{spooled, webhook}));
  EXPECT_EQ(ask([&](auto& q) { q.until = webhook.created_at; }),
            letters{letter(1)});
}

TEST_P(dead_letter_contract, TypesArePatternsAsThoseOfEventsAre) {
  const std::vector<std::string> types{"t", "t:a", "t:b", "t_a", "u:a", ""};
  for (size_t i = 0; i < types.size(); ++i) {
    auto d = letter(static_cast<int>(i) + 1);
    d.event_type = types[i];
    must(session_->add_dead_letter(d));
  }
  const auto found = [&](std::vector<std::string> wanted) {
    auto q = first(10);
    q.event_types = std::move(wanted);
    std::vector<std::string> out;
    for (const auto& d : must(session_->dead_letters(q)))
      out.insert(out.begin(), d.event_type);
    return out;
  };
  using texts = std::vector<std::string>;
  EXPECT_EQ(found({"t"}), (texts{"t", "t:a", "t:b"}));
  EXPECT_EQ(found({"t:*"}), (texts{"t:a", "t:b"}));
  EXPECT_EQ(found({"*:a"}), (texts{"t:a", "u:a"}));
  EXPECT_EQ(found({"t_*"}), (texts{"t_a"})) << "no wildcard of SQL";
  EXPECT_EQ(found({"u:*", "t_a"}), (texts{"t_a", "u:a"}));
  EXPECT_EQ(found({"*"}), types);
}

TEST_P(dead_letter_contract, LeavesBodiesOutWhereTheyAreNotWanted) {
  auto bare = letter(2);
  bare.body.clear();
  must(session_->add_dead_letter(letter(1)));
  must(session_->add_dead_letter(bare));
  auto q = first(10);
  q.bodies = false;
  auto expected = letter(1);
  expected.body_bytes = expected.body.size();
  expected.body.clear();
  EXPECT_EQ(must(session_->dead_letters(q)), (std::vector{bare, expected}));
}

TEST_P(dead_letter_contract, AddingTwiceAddsOnce) {
  must(session_->add_dead_letter(letter(1)));
  must(session_->add_dead_letter(letter(1)));
  EXPECT_EQ(must(session_->dead_letters(first(10))).size(), 1u);
}

TEST_P(dead_letter_contract, ReasonsThatAreNoTextAreKeptReadable) {
  auto d = letter(1);
  d.reason = std::string{"a\0b\xFF", 4};
  must(session_->add_dead_letter(d));
  EXPECT_EQ(must(session_->dead_letters(first(1))).at(0).reason,
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD");
}

TEST_P(dead_letter_contract, Drops) {
  must(session_->add_dead_letter(letter(1)));
  EXPECT_TRUE(must(session_->drop_dead_letter(letter(1).id)));
  EXPECT_FALSE(must(session_->drop_dead_letter(letter(1).id)));
  EXPECT_TRUE(must(session_->dead_letters(first(10))).empty());
}

INSTANTIATE_TEST_SUITE_P(Engines, dead_letter_contract, all_engines,
                         engine_name);

} // namespace
} // namespace eventweft::testing
