// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/persistence/store_fixture.hpp"

namespace eventweft::testing {
namespace {

class subscription_contract : public store_contract {
 protected:
  subscription_contract() : store(store_->open_subscriptions()) {}

  static subscription_record record(int n) {
    subscription_record r;
    auto& s = r.what;
    s.id = numbered_event(n).id;
    s.stream = "all_events";
    s.subscriber_id = "it's \"me\"";
    s.url = "https://hooks.example/" + std::to_string(n);
    s.filter.event_types = {"push"};
    s.secrets = {"whsec_new", "whsec_old"};
    s.format = wire_format::cloudevents;
    s.ordered = true;
    s.headers = {{"X-One", "1"}, {"Authorization", "Bearer \"x\""}};
    s.max_concurrent = 3;
    s.rate_per_second = 2.5;
    s.created_at = noon;
    r.progress.done_until = 7;
    return r;
  }

  static delivery_report report(int n, int attempts) {
    delivery_report out;
    out.subscription_id = record(n).what.id;
    out.proof = {"subscription:" + to_string(out.subscription_id), 0};
    auto& p = out.progress;
    p.done_until = 9;
    p.mark = R"({"cursor":12,"open":[]})";
    p.replay = R"({"after":1,"until":2,"filter":{}})";
    p.matched = 5;
    p.delivered = 4;
    p.failed = 3;
    p.given_up = 2;
    p.last_seq = 11;
    p.last_delivery_at = noon;
    for (int i = 1; i <= attempts; ++i) {
      const auto ev = numbered_event(i);
      delivery_attempt a;
      a.id = numbered_event(1'000 * n + i).id;
      a.subscription_id = out.subscription_id;
      a.event_id = ev.id;
      a.event_created_at = ev.created_at;
      a.event_seq = i;
      a.attempt = 2;
      a.status = delivery_attempt::state::pending;
      a.response_status = i % 2 == 0 ? 0 : 503;
      a.response_body = "busy";
      a.error_message = "answered 503";
      a.duration = 0.25;
      a.created_at = noon;
      if (i % 2 == 0)
        a.next_attempt_at = noon + std::chrono::seconds{5};
      out.attempts.push_back(a);
    }
    return out;
  }

  std::vector<std::optional<error>> save(std::vector<delivery_report> all) {
    return must(store->save(all));
  }

  std::unique_ptr<subscription_store> store;
};

TEST_P(subscription_contract, DefaultStreamsAreThereAndStay) {
  const auto all = must(store->streams());
  ASSERT_EQ(all.size(), 8u);
  for (const auto& s : all)
    EXPECT_TRUE(s.built_in) << s.name;
  EXPECT_EQ(store->drop_stream("all_events").error().code, ec::conflict);
  EXPECT_EQ(store->change_stream(all.front()).error().code, ec::conflict);
  EXPECT_EQ(must(store->streams()), all);
}

TEST_P(subscription_contract, StreamsAreMadeChangedAndDropped) {
  stream_definition s;
  s.name = "mine";
  s.description = "it's mine";
  s.filter.platforms = {"github"};
  s.created_at = noon;
  must(store->add_stream(s));
  EXPECT_EQ(store->add_stream(s).error().code, ec::conflict);
  auto all = must(store->streams());
  EXPECT_EQ(std::count(all.begin(), all.end(), s), 1);
  s.description.clear();
  s.filter.min_priority = priority::high;
  must(store->change_stream(s));
  ++s.version;
  all = must(store->streams());
  EXPECT_EQ(std::count(all.begin(), all.end(), s), 1);
  must(store->drop_stream("mine"));
  EXPECT_EQ(store->drop_stream("mine").error().code, ec::not_found);
  EXPECT_EQ(store->change_stream(s).error().code, ec::not_found);
  EXPECT_EQ(must(store->streams()).size(), 8u);
}

TEST_P(subscription_contract, SubscriptionsComeBackAsTheyWere) {
  must(store->add_subscription(record(1)));
  auto second = record(2);
  second.what.active = false;
  second.what.ordered = false;
  second.what.headers.clear();
  second.what.secrets.clear();
  second.what.type = subscription_type::nats;
  must(store->add_subscription(second));
  EXPECT_EQ(must(store->subscriptions()),
            (std::vector{record(1).what, second.what}));
  EXPECT_EQ(must(store->find_subscription(record(1).what.id)), record(1));
  EXPECT_EQ(must(store->find_subscription(record(3).what.id)), std::nullopt);
}

TEST_P(subscription_contract, ASubscriptionNeedsItsStream) {
  auto r = record(1);
  r.what.stream = "none";
  EXPECT_EQ(store->add_subscription(r).error().code, ec::not_found);
}

TEST_P(subscription_contract, SubscriptionsAreChangedAndDropped) {
  must(store->add_subscription(record(1)));
  auto s = record(1).what;
  s.url = "https://elsewhere.example/";
  s.active = false;
  s.disabled_reason = "answered 410";
  s.secrets = {"whsec_third"};
  must(store->change_subscription(s));
  ++s.version;
  EXPECT_EQ(must(store->subscriptions()), std::vector{s});
  EXPECT_EQ(must(store->find_subscription(s.id))->progress, record(1).progress);
  EXPECT_TRUE(must(store->drop_subscription(s.id)));
  EXPECT_FALSE(must(store->drop_subscription(s.id)));
  EXPECT_EQ(store->change_subscription(s).error().code, ec::not_found);
}

TEST_P(subscription_contract, AStreamIsChangedOnTopOfWhatWasRead) {
  stream_definition first;
  first.name = "mine";
  must(store->add_stream(first));
  auto second = first;
  first.description = "first";
  second.filter.platforms = {"slack"};
  must(store->change_stream(first));
  EXPECT_EQ(store->change_stream(second).error().code, ec::outdated);
  const auto read = [&] {
    const auto all = must(store->streams());
    return *std::ranges::find(all, "mine", &stream_definition::name);
  };
  EXPECT_EQ(read().description, "first");
  EXPECT_TRUE(read().filter.platforms.empty());
  second.description = first.description;
  second.version = read().version;
  must(store->change_stream(second));
  // By a program that knows nothing of versions.
  second = read();
  run_sql("UPDATE event_streams SET description = 'x' WHERE name = 'mine'");
  EXPECT_EQ(store->change_stream(second).error().code, ec::outdated);
}

TEST_P(subscription_contract, ASubscriptionIsChangedOnTopOfWhatWasRead) {
  must(store->add_subscription(record(1)));
  auto first = record(1).what;
  auto second = first;
  first.secrets = {"whsec_third"};
  second.url = "https://elsewhere.example/";
  must(store->change_subscription(first));
  EXPECT_EQ(store->change_subscription(second).error().code, ec::outdated);
  const auto read = [&] {
    return must(store->find_subscription(record(1).what.id))->what;
  };
  EXPECT_EQ(read().secrets, first.secrets);
  EXPECT_EQ(read().url, record(1).what.url);
  // How far it is changes all the time, which is none of it.
  second = read();
  save({report(1, 1)});
  second.ordered = false;
  must(store->change_subscription(second));
  EXPECT_FALSE(read().ordered);
  // That it was switched off is.
  second = read();
  auto off = report(1, 0);
  off.disabled_reason = "answered 410";
  save({off});
  EXPECT_EQ(store->change_subscription(second).error().code, ec::outdated);
  // By a program that knows nothing of versions.
  second = read();
  run_sql("UPDATE stream_subscriptions SET headers = '[]'");
  EXPECT_EQ(store->change_subscription(second).error().code, ec::outdated);
  EXPECT_TRUE(read().headers.empty());
}

TEST_P(subscription_contract, DroppingAStreamDropsWhatHangsOnIt) {
  stream_definition stream;
  stream.name = "mine";
  must(store->add_stream(stream));
  auto r = record(1);
  r.what.stream = "mine";
  must(store->add_subscription(r));
  save({report(1, 2)});
  must(store->drop_stream("mine"));
  EXPECT_TRUE(must(store->subscriptions()).empty());
  EXPECT_TRUE(must(store->deliveries(r.what.id, {}, 10)).empty());
}

TEST_P(subscription_contract, ReportsAreWrittenTogether) {
  must(store->add_subscription(record(1)));
  must(store->add_subscription(record(2)));
  const auto answers = save({report(1, 3), report(2, 0)});
  EXPECT_EQ(answers, std::vector<std::optional<error>>(2));
  for (int n : {1, 2})
    EXPECT_EQ(must(store->find_subscription(record(n).what.id))->progress,
              report(n, 0).progress);
  auto attempts = report(1, 3).attempts;
  std::reverse(attempts.begin(), attempts.end());
  EXPECT_EQ(must(store->deliveries(record(1).what.id, {}, 10)), attempts);
  EXPECT_TRUE(must(store->deliveries(record(2).what.id, {}, 10)).empty());
}

TEST_P(subscription_contract, WritingTwiceWritesOnce) {
  must(store->add_subscription(record(1)));
  save({report(1, 3)});
  save({report(1, 3)});
  EXPECT_EQ(must(store->deliveries(record(1).what.id, {}, 10)).size(), 3u);
}

TEST_P(subscription_contract, DeliveriesComeInPages) {
  must(store->add_subscription(record(1)));
  save({report(1, 5)});
  const auto id = record(1).what.id;
  auto page = must(store->deliveries(id, {}, 2));
  ASSERT_EQ(page.size(), 2u);
  EXPECT_EQ(page[0].event_seq, 5);
  page = must(store->deliveries(id, page.back().id, 10));
  ASSERT_EQ(page.size(), 3u);
  EXPECT_EQ(page[0].event_seq, 3);
}

TEST_P(subscription_contract, AReasonSwitchesItOff) {
  must(store->add_subscription(record(1)));
  auto r = report(1, 0);
  r.disabled_reason = "answered 410";
  save({r});
  const auto s = must(store->find_subscription(record(1).what.id))->what;
  EXPECT_FALSE(s.active);
  EXPECT_EQ(s.disabled_reason, "answered 410");
  // Later reports do not switch it on again.
  save({report(1, 0)});
  EXPECT_FALSE(must(store->find_subscription(s.id))->what.active);
}

TEST_P(subscription_contract, WhatWasDroppedMeanwhileIsNobodysFault) {
  EXPECT_EQ(save({report(1, 2)}), std::vector<std::optional<error>>(1));
  EXPECT_TRUE(must(store->deliveries(record(1).what.id, {}, 10)).empty());
}

TEST_P(subscription_contract, ARowThatIsRefusedHoldsUpNobody) {
  must(store->add_subscription(record(1)));
  must(store->add_subscription(record(2)));
  auto bad = report(1, 2);
  bad.attempts[1].attempt = 0;
  const auto answers = save({bad, report(2, 1)});
  EXPECT_EQ(answers, std::vector<std::optional<error>>(2));
  EXPECT_EQ(must(store->find_subscription(bad.subscription_id))->progress,
            bad.progress);
  EXPECT_TRUE(must(store->deliveries(bad.subscription_id, {}, 10)).empty());
  EXPECT_EQ(must(store->deliveries(record(2).what.id, {}, 10)).size(), 1u);
}

TEST_P(subscription_contract, WhoLostTheWorkWritesNothing) {
  if (!is_postgres())
    return; // one process alone uses the file
  must(store->add_subscription(record(1)));
  must(store->add_subscription(record(2)));
  auto stale = report(1, 1);
  auto held = report(2, 1);
  run_sql("INSERT INTO leases (work, owner, token, expires_at) VALUES ('" +
          stale.proof.work + "', 'b', 5, now()), ('" + held.proof.work +
          "', 'a', 3, now())");
  stale.proof.token = 4;
  held.proof.token = 3;
  const auto answers = save({stale, held});
  ASSERT_TRUE(answers[0]);
  EXPECT_EQ(answers[0]->code, ec::not_owner);
  EXPECT_FALSE(answers[1]);
  EXPECT_EQ(must(store->find_subscription(stale.subscription_id)), record(1));
  EXPECT_TRUE(must(store->deliveries(stale.subscription_id, {}, 10)).empty());
  EXPECT_EQ(must(store->deliveries(held.subscription_id, {}, 10)).size(), 1u);
}

TEST_P(subscription_contract, RetentionWaitsForActiveOnesOnly) {
  auto r = record(1);
  r.progress.done_until = 0;
  must(store->add_subscription(r));
  append({numbered_event(1), numbered_event(2)});
  auto maintenance = store_->open_maintenance();
  must(maintenance->roll_up_metrics());
  retention_policy policy;
  policy.keep = std::chrono::hours{24};
  const auto later = noon + std::chrono::hours{24 * 60};
  must(maintenance->apply_retention(policy, later, false));
  EXPECT_EQ(must(session_->read_after(0, 10, SIZE_MAX)).events.size(), 2u);
  r.what.active = false;
  must(store->change_subscription(r.what));
  must(maintenance->apply_retention(policy, later, false));
  EXPECT_TRUE(must(session_->read_after(0, 10, SIZE_MAX)).events.empty());
}

INSTANTIATE_TEST_SUITE_P(Engines, subscription_contract, both_engines,
                         engine_name);

} // namespace
} // namespace eventweft::testing
