// SPDX-License-Identifier: Apache-2.0
#include "tests/support/whole.hpp"

#include <set>

namespace eventweft {

namespace {

using std::chrono::milliseconds;
using testing::sent;

/// Each kind of actor is crashed while webhooks come in and a reader listens.
/// Whatever dies: each webhook is answered once, what was acknowledged is
/// stored once, the log has no hole, the reader sees it all in order, and
/// traffic goes on.
class crash_test : public testing::whole,
                   public ::testing::WithParamInterface<std::string> {
 protected:
  void crash_some(const std::string& kind) {
    auto& peers = *ctx.peers;
    auto kill = [this](const auto& h) {
      if (h)
        crash(h);
    };
    if (kind == "platform_worker")
      kill(peers.platform("github"));
    else if (kind == "storage_writer")
      kill(peers.writer.get());
    else if (kind == "store_worker")
      kill(peers.write_worker.get());
    else if (kind == "sync_worker")
      kill(peers.sync_worker.get());
    else if (kind == "read_worker")
      kill(peers.read_workers.at(0));
    else if (kind == "storage_reader")
      kill(peers.reader.get());
    else if (kind == "stream_hub")
      kill(peers.hub.get());
    else if (kind == "spool_worker")
      kill(peers.spool_worker.get());
    else if (kind == "dead_letters")
      kill(peers.dead_letters.get());
    else if (kind == "asker")
      kill(peers.askers.next());
  }

  /// Traffic with crashes; the store goes away for a while too if asked.
  void storm(const std::vector<std::string>& kinds, uint64_t seed,
             bool with_outages) {
    seeded_random dice{seed};
    log->sync_later = true;
    start();
    auto control = open(1, start_point::after(0));
    control->next(0, -1);
    run();
    std::map<int, std::vector<std::shared_ptr<sent>>> all;
    int number = 0;
    for (int round = 0; round < 120; ++round) {
      for (auto n = dice.next() % 6; n > 0; --n) {
        // Every eighth is a redelivery.
        auto which =
            number > 3 && dice.next() % 8 == 0
                ? static_cast<int>(dice.next() % static_cast<uint64_t>(number))
                : number++;
        all[which].push_back(send(which));
      }
      for (auto n = dice.next() % 40; n > 0; --n)
        sched.try_run_once();
      if (dice.next() % 5 == 0)
        crash_some(kinds[dice.next() % kinds.size()]);
      if (with_outages && round % 30 == 10)
        lose_store();
      if (with_outages && round % 30 == 25)
        log->set_down(std::nullopt);
      advance(milliseconds{static_cast<int64_t>(dice.next() % 60)});
      serve_reader(*control);
    }
    log->set_down(std::nullopt);
    for (int i = 0; i < 30; ++i) {
      advance(milliseconds{1'000});
      serve_reader(*control);
    }
    auto last = send(number);
    advance(milliseconds{1'000});
    EXPECT_TRUE(last->acknowledged()) << "traffic does not go on";

    std::multiset<std::string> stored;
    seq_t expected_seq = 0;
    for (const auto& ev : log->events()) {
      EXPECT_EQ(ev->seq, ++expected_seq);
      stored.insert(ev->event_id);
    }
    size_t acknowledged = 0;
    for (const auto& [which, attempts] : all)
      for (const auto& x : attempts) {
        EXPECT_EQ(x->answers, 1) << "webhook " << which;
        if (!x->acknowledged())
          continue;
        ++acknowledged;
        EXPECT_EQ(stored.count("delivery-" + std::to_string(which)), 1u)
            << "webhook " << which;
      }
    EXPECT_GT(acknowledged, all.size() / 2);
    for (const auto& id : stored)
      EXPECT_EQ(stored.count(id), 1u);
    const auto& r = lane->readers[1];
    EXPECT_TRUE(r.ends.empty());
    EXPECT_TRUE(r.faults.empty()) << r.faults.front();
    std::vector<seq_t> expected;
    for (seq_t i = 1; i <= log->head(); ++i)
      expected.push_back(i);
    EXPECT_EQ(r.seen, expected);
    EXPECT_TRUE(spooled->events.empty());
    control.reset();
    run();
  }

  /// The store dies, and with it what was not durable.
  void lose_store() {
    log->set_down(error{ec::store_unavailable, "outage"});
    log->lose_unsynced();
  }

  void serve_reader(reader_control& control) {
    auto& r = lane->readers[1];
    if (std::exchange(r.wants_next, false))
      control.next(r.epoch, r.cursor);
  }
};

TEST_P(crash_test, acknowledged_events_survive_and_traffic_goes_on) {
  storm({GetParam()}, 7, false);
}

TEST_P(crash_test, with_the_store_away_now_and_then) {
  storm({GetParam()}, 11, true);
}

INSTANTIATE_TEST_SUITE_P(each_kind, crash_test,
                         ::testing::Values("platform_worker", "storage_writer",
                                           "store_worker", "sync_worker",
                                           "read_worker", "storage_reader",
                                           "stream_hub", "spool_worker",
                                           "dead_letters", "asker"),
                         [](const auto& x) { return x.param; });

class all_crash_test : public crash_test {};

TEST_P(all_crash_test, everybody_may_die_at_any_time) {
  storm({"platform_worker", "storage_writer", "store_worker", "sync_worker",
         "read_worker", "storage_reader", "stream_hub", "spool_worker",
         "dead_letters", "asker"},
        std::hash<std::string>{}(GetParam()), true);
}

INSTANTIATE_TEST_SUITE_P(seeds, all_crash_test,
                         ::testing::Values("a", "b", "c", "d", "e", "f"));

} // namespace

} // namespace eventweft
