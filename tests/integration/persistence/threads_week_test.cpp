// SPDX-License-Identifier: Apache-2.0
// A scripted week of a team against its own truth, on the real stores.
#include "bench/generators/team_week.hpp"
#include "correlation/engine.hpp"
#include "tests/integration/persistence/thread_support.hpp"
#include "tests/support/sanitized.hpp"

#include <atomic>
#include <cstdio>
#include <thread>

namespace eventweft::testing {
namespace {

using namespace std::chrono_literals;

// A quarter of it shows a sanitizer the same code.
constexpr uint32_t works = sanitized ? 300 : 2'000;

class week_on_store : public thread_contract {
 protected:
  std::vector<bench::week_event> week_ =
      bench::team_week({.works = works, .seed = 7, .start = noon});
  std::map<std::string, uint32_t> work_of_;

  /// Each writer is a node with rules of its own that know what it learned by
  /// itself; they take what comes in turns of up to 100 events.
  void run(size_t writers) {
    std::atomic<size_t> next{0};
    std::vector<std::string> failures(writers);
    std::vector<std::thread> nodes;
    for (const auto& w : week_)
      work_of_[w.platform + w.event_id] = w.work;
    for (size_t n = 0; n < writers; ++n)
      nodes.emplace_back([&, n] {
        auto known = std::make_shared<correlation::vocabulary>();
        correlation::engine rules{known, {}};
        codec::payload_reader reader;
        auto session = store_->open_session();
        constexpr size_t turn = 100;
        for (size_t at; (at = next.fetch_add(turn)) < week_.size();) {
          std::vector<event_ptr> batch;
          for (size_t i = at; i < std::min(at + turn, week_.size()); ++i)
            batch.push_back(make(i, rules, reader));
          const auto done = session->append_and_join(batch);
          if (!done) {
            failures[n] = to_string(done.error());
            return;
          }
          for (const auto& [fact, value] : done->threads.facts)
            known->learn(fact, value);
        }
      });
    for (auto& t : nodes)
      t.join();
    EXPECT_THAT(failures, ::testing::Each(""));
  }

  event_ptr make(size_t i, const correlation::engine& rules,
                 codec::payload_reader& reader) const {
    const auto& w = week_[i];
    seeded_random random{i + 1};
    event e;
    e.created_at = w.at;
    e.id = uuid::v7(w.at, random);
    e.event_id = w.event_id;
    e.platform = w.platform;
    e.event_type = w.event_type;
    e.payload = shared_text{w.payload};
    e.keys = rules.keys(e, reader);
    return event_ptr{std::move(e)};
  }

  static uint64_t pairs(uint64_t n) { return n * (n - 1) / 2; }

  void check(const char* what) const {
    std::map<uint32_t, uint64_t> by_work;
    std::map<uuid, uint64_t> by_thread;
    std::map<std::pair<uint32_t, uuid>, uint64_t> by_both;
    size_t events = 0;
    for (const auto& e : log()) {
      if (e->platform == "eventweft")
        continue;
      ++events;
      const auto work = work_of_.at(e->platform + e->event_id);
      if (work != 0)
        ++by_work[work];
      if (e->correlation_id)
        ++by_thread[*e->correlation_id];
      if (work != 0 && e->correlation_id)
        ++by_both[{work, *e->correlation_id}];
    }
    uint64_t right = 0;
    uint64_t expected = 0;
    uint64_t found = 0;
    for (const auto& [k, n] : by_both)
      right += pairs(n);
    for (const auto& [k, n] : by_work)
      expected += pairs(n);
    for (const auto& [k, n] : by_thread)
      found += pairs(n);
    const auto precision =
        static_cast<double>(right) / static_cast<double>(found);
    const auto recall =
        static_cast<double>(right) / static_cast<double>(expected);
    std::printf("%s, %s: %zu events, %zu works, %zu threads, precision %.4f, "
                "recall %.4f\n",
                std::string{GetParam()}.c_str(), what, events, by_work.size(),
                by_thread.size(), precision, recall);
    EXPECT_GE(precision, 0.99);
    EXPECT_GE(recall, 0.97);
  }
};

TEST_P(week_on_store, OneWriterAndFourFindTheSameThreads) {
  run(1);
  check("one writer");
  const auto one = partition();
  url_ = is_postgres() ? migrated_database()
                       : "sqlite:" + (directory_.path() / "four.db").string();
  store_ = open();
  must(store_->migrate());
  session_ = store_->open_session();
  run(4);
  check("four writers");
  EXPECT_EQ(partition(), one);
}

INSTANTIATE_TEST_SUITE_P(Engines, week_on_store, both_engines, engine_name);

} // namespace
} // namespace eventweft::testing
