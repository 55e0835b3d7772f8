// SPDX-License-Identifier: Apache-2.0
#include "processing/registry.hpp"

#include <gtest/gtest.h>

namespace eventweft::processing {
namespace {

processor named(std::string name) {
  processor p;
  p.name = std::move(name);
  p.handler = blocking_handler{
      [](const event_ptr&, const attempt_context&) { return outcome::done(); }};
  return p;
}

TEST(registry_test, refuses_a_second_one_of_a_name) {
  registry r;
  ASSERT_TRUE(r.add(named("a")));
  const auto again = r.add(named("a"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ec::conflict);
  EXPECT_EQ(r.all().size(), 1u);
}

TEST(registry_test, a_name_is_free_again_after_its_removal) {
  registry r;
  ASSERT_TRUE(r.add(named("a")));
  const auto first = r.find("a");
  EXPECT_TRUE(r.remove("a"));
  EXPECT_FALSE(r.remove("a"));
  EXPECT_EQ(r.find("a"), nullptr);
  ASSERT_TRUE(r.add(named("a")));
  EXPECT_NE(r.find("a")->number, first->number);
}

TEST(registry_test, knows_where_the_log_ended_at_the_start) {
  registry r;
  ASSERT_TRUE(r.add(named("a")));
  ASSERT_TRUE(r.add(named("b")));
  const auto number = r.find("a")->number;
  r.starts_at(7);
  EXPECT_EQ(r.find("a")->head_at_start, 7);
  // It is still the same registration.
  EXPECT_EQ(r.find("a")->number, number);
  // Who comes later begins later.
  ASSERT_TRUE(r.add(named("c")));
  EXPECT_FALSE(r.find("c")->head_at_start);
  r.begun("a");
  EXPECT_FALSE(r.find("a")->head_at_start);
  EXPECT_EQ(r.find("b")->head_at_start, 7);
}

TEST(registry_test, keeps_them_by_name) {
  registry r;
  for (const auto* name : {"b", "c", "a"})
    ASSERT_TRUE(r.add(named(name)));
  std::string names;
  for (const auto& p : r.all())
    names += p->what.name;
  EXPECT_EQ(names, "abc");
}

TEST(registry_test, says_what_is_wrong_with_a_processor) {
  registry r;
  const auto refused = [&r](auto change) {
    auto p = named("p");
    change(p);
    const auto added = r.add(std::move(p));
    return !added && added.error().code == ec::unprocessable;
  };
  EXPECT_TRUE(refused([](auto& p) { p.name = ""; }));
  EXPECT_TRUE(refused([](auto& p) { p.name = "a b"; }));
  EXPECT_TRUE(refused([](auto& p) { p.handler = blocking_handler{}; }));
  EXPECT_TRUE(refused([](auto& p) { p.timeout = milliseconds{0}; }));
  EXPECT_TRUE(refused([](auto& p) { p.jitter = 1.5; }));
  EXPECT_TRUE(refused([](auto& p) { p.retry_delay = milliseconds{-1}; }));
  EXPECT_TRUE(refused([](auto& p) { p.max_retry_delay = milliseconds{1}; }));
}

TEST(registry_test, tells_of_changes_until_nobody_listens) {
  registry r;
  int told = 0;
  auto guard = r.on_change([&told] { ++told; });
  ASSERT_TRUE(r.add(named("a")));
  EXPECT_FALSE(r.add(named("a")));
  r.remove("a");
  EXPECT_EQ(told, 2);
  guard = nullptr;
  ASSERT_TRUE(r.add(named("b")));
  EXPECT_EQ(told, 2);
}

TEST(registry_test, knows_which_events_are_answered) {
  registry r;
  event ev;
  ev.platform = "slack";
  ev.event_type = "app_mention";
  ASSERT_TRUE(r.add(named("plain")));
  EXPECT_FALSE(r.answers(ev));
  auto p = named("reply");
  p.answers = true;
  p.filter.platforms = {"slack"};
  ASSERT_TRUE(r.add(std::move(p)));
  EXPECT_TRUE(r.answers(ev));
  ev.platform = "github";
  EXPECT_FALSE(r.answers(ev));
}

} // namespace
} // namespace eventweft::processing
