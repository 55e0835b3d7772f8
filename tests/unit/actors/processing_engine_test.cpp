// SPDX-License-Identifier: Apache-2.0
#include "actors/log_follower.hpp"
#include "actors/processing_engine.hpp"
#include "actors/processing_journal.hpp"
#include "codec/json_text.hpp"
#include "tests/support/spine.hpp"

#include <spdlog/sinks/ringbuffer_sink.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace eventweft::testing {
namespace {

using namespace std::chrono_literals;
using processing::attempt_context;
using processing::outcome;
using processing::processor;

/// Runs what it is given when the test says so.
class manual_runner final : public processing::runner {
 public:
  bool run(uint64_t id, task what) override {
    if (jobs.size() >= places)
      return false;
    jobs.emplace_back(id, std::move(what));
    return true;
  }

  void abandon(uint64_t id) override {
    if (std::erase_if(jobs, [id](auto& j) { return j.first == id; }) > 0) {
      ++lost;
      abandoned.push_back(id);
    }
  }

  counts state() const override {
    return {places - std::min(places, jobs.size()), jobs.size(), lost};
  }

  /// Runs the oldest one.
  bool step() {
    if (jobs.empty())
      return false;
    auto j = std::move(jobs.front());
    jobs.erase(jobs.begin());
    j.second({});
    return true;
  }

  size_t places = 4;
  size_t lost = 0;
  std::vector<std::pair<uint64_t, task>> jobs;
  std::vector<uint64_t> abandoned;
};

/// What processors remember, in memory.
struct memory_journal {
  std::map<std::string, std::map<std::string, processing::stored_mark>> marks;
  /// By processor and seq.
  std::map<std::pair<std::string, seq_t>, processing::status_row> rows;
  size_t writes = 0;
  std::optional<error> down;
};

class memory_processing final : public processing_store {
 public:
  explicit memory_processing(std::shared_ptr<memory_journal> to)
      : to_(std::move(to)) {}

  expected<std::vector<processing::stored_mark>>
  marks(std::string_view name) override {
    if (to_->down)
      return fail(*to_->down);
    std::vector<processing::stored_mark> out;
    for (const auto& [f, mark] : to_->marks[std::string{name}])
      out.push_back(mark);
    return out;
  }

  expected<processing::named_marks> known() override {
    if (to_->down)
      return fail(*to_->down);
    processing::named_marks out;
    for (const auto& [name, marks] : to_->marks)
      for (const auto& [f, mark] : marks)
        out.emplace_back(name, mark);
    return out;
  }

  expected<void> record(std::string_view name, const fence&,
                        const processing::changes& what) override {
    if (to_->down)
      return fail(*to_->down);
    ++to_->writes;
    for (const auto& m : what.marks)
      to_->marks[std::string{name}][m.feed] = m;
    for (const auto& r : what.rows)
      to_->rows[{std::string{name}, r.event->seq}] = r;
    return {};
  }

 private:
  std::shared_ptr<memory_journal> to_;
};

/// Says which work is this node's.
class switched_owner final : public ownership {
 public:
  std::optional<fence> held(const std::string& work) override {
    ++asked;
    return token ? std::optional{fence{work, *token}} : std::nullopt;
  }
  std::string holder(const std::string&) const override {
    return "b (10.0.0.2:8080)";
  }
  std::shared_ptr<void> on_change(std::function<void()> f) override {
    auto guard = std::make_shared<std::function<void()>>(std::move(f));
    changed = guard;
    return guard;
  }
  void ended(const std::string& work) override {
    if (when_ended)
      when_ended(work);
  }
  void set(std::optional<int64_t> t) {
    token = t;
    if (auto f = changed.lock())
      (*f)();
  }

  std::optional<int64_t> token = 1;
  int asked = 0;
  std::function<void(const std::string&)> when_ended;
  std::weak_ptr<std::function<void()>> changed;
};

/// Links to other nodes, as the engine sees them.
class noted_links final : public fanout {
 public:
  void committed(const log_range_ptr&) override {}
  void replied(const uuid& event,
               const std::optional<processing::reply>& r) override {
    said.emplace_back(event, r);
  }
  bool hears_replies() const override { return up; }
  void wants_events(bool) override {}

  bool up = true;
  std::vector<std::pair<uuid, std::optional<processing::reply>>> said;
};

class processing_engine_test : public spine {
 protected:
  void SetUp() override {
    ctx.followers = make_follower_lane();
    ctx.peers->askers.set(0, keep(spawn_asker(system)));
    start_all();
    start_journal();
  }

  void start_journal() {
    ctx.peers->journal.set(keep(spawn_processing_journal(
        system, std::make_unique<memory_processing>(journal),
        worker_thread::shared)));
  }

  void start_engine() {
    processing_engine_options o;
    o.processors = processors;
    o.workers = workers;
    o.starters = starters;
    auto engine = keep(spawn_processing_engine(system, ctx, o));
    ctx.peers->engine.set(engine);
    settle();
  }

  void restart_engine() {
    auto old = ctx.peers->engine.get();
    ctx.peers->engine.set({});
    crash(old);
    run();
    workers->jobs.clear();
    starters->jobs.clear();
    start_engine();
  }

  /// Lets a little time pass, in which writes go out.
  void settle() { advance(1'200ms); }

  /// Runs handlers until there is nothing to run.
  void work() {
    run();
    while (starters->step() || workers->step()) {
      // As the real ones do when a thread is free again.
      tell_anon(ctx.peers->engine.get(), next_atom_v);
      run();
    }
  }

  void add_events(int first, int last, priority p = priority::normal) {
    for (int i = first; i <= last; ++i) {
      auto e = make_event(i);
      e.priority = p;
      append(std::move(e));
    }
    run();
  }

  /// Notes what it sees; fails as long as `fail_times` says.
  processor noting(std::string name) {
    processor p;
    p.name = name;
    p.jitter = 0;
    p.start = start_point::after(0);
    p.handler = processing::blocking_handler{
        [this, name](const event_ptr& ev, const attempt_context& c) {
          seen.push_back({name, ev->seq, c.attempt, c.idempotency_key});
          auto& n = fail_times[name];
          if (n == 0)
            return outcome::done();
          --n;
          return outcome::failed("told to fail");
        }};
    return p;
  }

  using log_lines = spdlog::sinks::ringbuffer_sink_mt;

  /// What is logged from now on.
  std::shared_ptr<log_lines> keep_log() {
    auto lines = std::make_shared<log_lines>(1'000);
    ctx.log = std::make_shared<spdlog::logger>("test", lines);
    return lines;
  }

  /// How many lines have that text.
  static std::ptrdiff_t said(log_lines& lines, const std::string& text) {
    return std::ranges::count_if(lines.last_formatted(),
                                 [&text](const std::string& line) {
                                   return line.find(text) != std::string::npos;
                                 });
  }

  struct sighting {
    std::string processor;
    seq_t seq;
    uint32_t attempt;
    std::string key;
  };

  std::vector<seq_t> seqs(const std::string& name = "p") const {
    std::vector<seq_t> out;
    for (const auto& s : seen)
      if (s.processor == name)
        out.push_back(s.seq);
    return out;
  }

  processing::status status_of(seq_t seq, const std::string& name = "p") {
    return journal->rows.at({name, seq}).status;
  }

  std::shared_ptr<processing::registry> processors =
      std::make_shared<processing::registry>();
  std::shared_ptr<manual_runner> workers = std::make_shared<manual_runner>();
  std::shared_ptr<manual_runner> starters = std::make_shared<manual_runner>();
  std::shared_ptr<memory_journal> journal = std::make_shared<memory_journal>();
  std::vector<sighting> seen;
  std::map<std::string, int> fail_times;
};

TEST_F(processing_engine_test, hands_every_matching_event_to_its_handler) {
  ASSERT_TRUE(processors->add(noting("p")));
  start_engine();
  add_events(1, 5);
  work();
  EXPECT_EQ(seqs(), (std::vector<seq_t>{1, 2, 3, 4, 5}));
  settle();
  EXPECT_EQ(status_of(5), processing::status::completed);
  EXPECT_EQ(journal->marks.at("p").at("normal").cursor, 5);
}

TEST_F(processing_engine_test,
       what_a_dead_journal_did_not_write_its_heir_does) {
  ASSERT_TRUE(processors->add(noting("p")));
  start_engine();
  add_events(1, 5);
  run();
  const auto old = ctx.peers->journal.get();
  ctx.peers->journal.set({});
  crash(old);
  work();
  settle();
  EXPECT_EQ(seqs(), (std::vector<seq_t>{1, 2, 3, 4, 5}));
  EXPECT_TRUE(journal->rows.empty());
  start_journal();
  advance(10s);
  EXPECT_EQ(status_of(5), processing::status::completed);
  EXPECT_EQ(journal->marks.at("p").at("normal").cursor, 5);
  add_events(6, 6);
  work();
  settle();
  EXPECT_EQ(status_of(6), processing::status::completed);
  EXPECT_EQ(seqs().size(), 6u) << "none ran twice";
}

TEST_F(processing_engine_test, writes_nothing_for_events_nobody_wants) {
  auto p = noting("p");
  p.filter.platforms = {"linear"};
  ASSERT_TRUE(processors->add(std::move(p)));
  start_engine();
  add_events(1, 5);
  work();
  settle();
  EXPECT_TRUE(seen.empty());
  EXPECT_TRUE(journal->rows.empty());
}

TEST_F(processing_engine_test, what_nobody_wants_holds_no_cursor_back) {
  ASSERT_TRUE(processors->add(noting("p")));
  start_engine();
  add_events(1, 5);
  work();
  auto states = request<std::vector<processing::processor_state>>(
      ctx.peers->engine.get(), list_atom_v);
  run();
  ASSERT_TRUE(states->value);
  EXPECT_EQ(states->value->front().cursor, 5);
  advance(5s);
  for (const auto* feed : {"low", "normal", "high", "critical"})
    EXPECT_EQ(journal->marks.at("p").at(feed).cursor, 5) << feed;
  const auto writes = journal->writes;
  advance(1min);
  EXPECT_EQ(journal->writes, writes) << "nothing changed";
}

TEST_F(processing_engine_test, a_clean_end_keeps_how_far_it_looked) {
  ASSERT_TRUE(processors->add(noting("p")));
  start_engine();
  add_events(1, 5);
  work();
  auto flushed = request<void>(ctx.peers->engine.get(), flush_atom_v);
  advance(300ms);
  EXPECT_TRUE(flushed->value);
  for (const auto* feed : {"low", "normal", "high", "critical"})
    EXPECT_EQ(journal->marks.at("p").at(feed).cursor, 5) << feed;
}

TEST_F(processing_engine_test, workers_pull_the_urgent_ones_first) {
  workers->places = 1;
  ASSERT_TRUE(processors->add(noting("p")));
  start_engine();
  add_events(1, 100, priority::low);
  add_events(101, 102, priority::critical);
  work();
  ASSERT_EQ(seen.size(), 102u);
  // One that ran already, then at most one turn of the low lane.
  const auto got = seqs();
  EXPECT_LE(std::ranges::find(got, 102) - got.begin(), 4);
}

TEST_F(processing_engine_test, tries_again_with_growing_pauses_and_one_key) {
  auto p = noting("p");
  p.retry_delay = 1s;
  ASSERT_TRUE(processors->add(std::move(p)));
  fail_times["p"] = 2;
  start_engine();
  add_events(1, 1);
  work();
  advance(300ms);
  EXPECT_EQ(status_of(1), processing::status::retrying);
  work();
  EXPECT_EQ(seen.size(), 1u);
  advance(800ms);
  work();
  EXPECT_EQ(seen.size(), 2u);
  advance(1'500ms);
  work();
  EXPECT_EQ(seen.size(), 2u);
  advance(600ms);
  work();
  settle();
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[2].attempt, 3u);
  EXPECT_EQ(seen[0].key, seen[2].key);
  EXPECT_EQ(seen[0].key, to_string(log->events()[0]->id) + ":p");
  EXPECT_EQ(status_of(1), processing::status::completed);
}

TEST_F(processing_engine_test, an_event_is_settled_by_the_last_one) {
  auto r = noting("r");
  r.retry_delay = 10s;
  ASSERT_TRUE(processors->add(noting("ok")));
  ASSERT_TRUE(processors->add(std::move(r)));
  fail_times["r"] = 1;
  start_engine();
  add_events(1, 1);
  work();
  settle();
  EXPECT_EQ(status_of(1, "ok"), processing::status::completed);
  EXPECT_FALSE(journal->rows.at({"ok", 1}).settled);
  EXPECT_FALSE(journal->rows.at({"r", 1}).settled);
  advance(11s);
  work();
  settle();
  EXPECT_EQ(status_of(1, "r"), processing::status::completed);
  EXPECT_TRUE(journal->rows.at({"r", 1}).settled);
}

TEST_F(processing_engine_test, what_waits_behind_another_is_not_settled) {
  workers->places = 1;
  auto slow = noting("slow");
  slow.concurrency = 1;
  ASSERT_TRUE(processors->add(std::move(slow)));
  auto quick = noting("quick");
  quick.handler = processing::async_handler{
      [](const event_ptr&, const attempt_context&,
         const processing::completion& done) { done(outcome::done()); }};
  ASSERT_TRUE(processors->add(std::move(quick)));
  start_engine();
  add_events(1, 3);
  while (starters->step())
    run();
  settle();
  for (seq_t seq = 1; seq <= 3; ++seq)
    EXPECT_FALSE(journal->rows.at({"quick", seq}).settled) << seq;
  work();
  settle();
  for (seq_t seq = 1; seq <= 3; ++seq)
    EXPECT_TRUE(journal->rows.at({"slow", seq}).settled) << seq;
}

TEST_F(processing_engine_test, what_is_given_up_is_settled_too) {
  auto p = noting("p");
  p.max_retries = 0;
  fail_times["p"] = 1;
  ASSERT_TRUE(processors->add(std::move(p)));
  auto other = noting("other");
  other.filter.platforms = {"nobody"};
  ASSERT_TRUE(processors->add(std::move(other)));
  start_engine();
  add_events(1, 1);
  work();
  settle();
  EXPECT_EQ(status_of(1), processing::status::failed);
  EXPECT_TRUE(journal->rows.at({"p", 1}).settled);
  EXPECT_TRUE(journal->rows.at({"p", 1}).others.empty());
}

TEST_F(processing_engine_test, a_handler_that_says_it_was_late_is_counted) {
  auto p = noting("p");
  p.max_retries = 1;
  p.retry_delay = 1s;
  p.handler = processing::blocking_handler{
      [](const event_ptr&, const attempt_context&) {
        return outcome::late("killed: it took longer than its time-out");
      }};
  ASSERT_TRUE(processors->add(std::move(p)));
  start_engine();
  add_events(1, 1);
  work();
  advance(1'500ms);
  work();
  auto states = request<std::vector<processing::processor_state>>(
      ctx.peers->engine.get(), list_atom_v);
  run();
  ASSERT_TRUE(states->value);
  EXPECT_EQ(states->value->front().timed_out, 2u);
}

TEST_F(processing_engine_test, a_throw_is_a_failed_attempt) {
  auto p = noting("p");
  p.max_retries = 0;
  p.handler = processing::blocking_handler{
      [](const event_ptr&, const attempt_context&) -> outcome {
        throw std::runtime_error{"oops"};
      }};
  ASSERT_TRUE(processors->add(std::move(p)));
  start_engine();
  add_events(1, 1);
  work();
  settle();
  ASSERT_EQ(log->letters.size(), 1u);
  const auto& letter = log->letters[0];
  EXPECT_EQ(letter.origin, "processor:p");
  EXPECT_EQ(letter.reason, "exception: oops");
  EXPECT_EQ(letter.event_seq, 1);
  ASSERT_EQ(letter.history.size(), 1u);
  EXPECT_EQ(status_of(1), processing::status::failed);
}

TEST_F(processing_engine_test,
       nothing_says_given_up_before_its_letter_is_safe) {
  auto p = noting("p");
  p.max_retries = 0;
  fail_times["p"] = 1;
  ASSERT_TRUE(processors->add(std::move(p)));
  start_engine();
  log->set_down(error{ec::store_unavailable, "away"});
  // Read before it went away.
  log->set_down({});
  add_events(1, 1);
  log->set_down(error{ec::store_unavailable, "away"});
  work();
  settle();
  EXPECT_FALSE(journal->rows.contains({"p", 1}));
  log->set_down({});
  advance(10s);
  EXPECT_EQ(log->letters.size(), 1u);
  EXPECT_EQ(status_of(1), processing::status::failed);
}

TEST_F(processing_engine_test, a_hung_handler_loses_its_thread_and_its_say) {
  auto p = noting("p");
  p.timeout = 2s;
  p.retry_delay = 1s;
  ASSERT_TRUE(processors->add(std::move(p)));
  start_engine();
  add_events(1, 1);
  ASSERT_EQ(workers->jobs.size(), 1u);
  auto late = workers->jobs[0].second;
  advance(2'100ms);
  EXPECT_EQ(workers->abandoned.size(), 1u);
  // It comes back after all: nobody listens.
  late({});
  run();
  settle();
  work();
  settle();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[1].attempt, 2u);
  EXPECT_EQ(status_of(1), processing::status::completed);
  EXPECT_EQ(journal->rows.at({"p", 1}).attempts, 2u);
}

TEST_F(processing_engine_test, asynchronous_handlers_hold_no_worker) {
  workers->places = 0;
  std::vector<processing::completion> waiting;
  auto p = noting("p");
  p.handler = processing::async_handler{
      [&waiting](const event_ptr&, const attempt_context&,
                 processing::completion done) {
        waiting.push_back(std::move(done));
      }};
  ASSERT_TRUE(processors->add(std::move(p)));
  start_engine();
  add_events(1, 50);
  work();
  ASSERT_EQ(waiting.size(), 50u);
  for (auto& done : waiting) {
    done(outcome::done());
    done(outcome::failed("a second word"));
  }
  work();
  settle();
  EXPECT_EQ(status_of(1), processing::status::completed);
  EXPECT_EQ(status_of(50), processing::status::completed);
}

TEST_F(processing_engine_test, goes_on_after_a_crash_each_once) {
  workers->places = 2;
  ASSERT_TRUE(processors->add(noting("p")));
  start_engine();
  add_events(1, 10);
  workers->step();
  run();
  workers->step();
  run();
  workers->step();
  run();
  settle();
  EXPECT_EQ(seqs(), (std::vector<seq_t>{1, 2, 3}));
  restart_engine();
  work();
  settle();
  auto got = seqs();
  std::ranges::sort(got);
  EXPECT_EQ(got, (std::vector<seq_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
}

// It ends the whole process, each time it is handed that event.
TEST_F(processing_engine_test, what_ends_its_process_is_given_up_in_the_end) {
  const auto lines = keep_log();
  auto p = noting("p");
  p.max_retries = 1;
  ASSERT_TRUE(processors->add(std::move(p)));
  start_engine();
  add_events(1, 2);
  settle();
  // Nobody counts the first: it was not announced.
  for (int attempt = 0; attempt <= 2; ++attempt) {
    ASSERT_FALSE(workers->jobs.empty());
    EXPECT_TRUE(log->letters.empty());
    restart_engine();
  }
  work();
  settle();
  EXPECT_EQ(seqs(), std::vector<seq_t>{2}) << "which ran alone, then";
  EXPECT_EQ(status_of(2), processing::status::completed);
  EXPECT_EQ(status_of(1), processing::status::failed);
  const auto& given_up = log->letters;
  ASSERT_EQ(given_up.size(), 1u);
  EXPECT_EQ(given_up[0].event_seq, 1);
  EXPECT_EQ(given_up[0].attempts, 2u);
  EXPECT_EQ(given_up[0].reason, processing::cut_off_text);
  EXPECT_GE(said(*lines, "the process ended during an attempt"), 3);
}

TEST_F(processing_engine_test, an_orderly_end_is_held_against_nobody) {
  workers->places = 1;
  auto p = noting("p");
  p.max_retries = 0;
  ASSERT_TRUE(processors->add(std::move(p)));
  start_engine();
  add_events(1, 1);
  settle();
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(workers->jobs.size(), 1u);
    auto ended = request<void>(ctx.peers->engine.get(), flush_atom_v);
    advance(10s);
    EXPECT_TRUE(ended->value);
    restart_engine();
  }
  work();
  settle();
  EXPECT_EQ(status_of(1), processing::status::completed);
}

TEST_F(processing_engine_test, what_was_not_written_is_done_again) {
  ASSERT_TRUE(processors->add(noting("p")));
  start_engine();
  journal->down = error{ec::store_unavailable, "away"};
  add_events(1, 2);
  work();
  settle();
  restart_engine();
  journal->down.reset();
  advance(10s);
  work();
  settle();
  EXPECT_EQ(seqs(), (std::vector<seq_t>{1, 2, 1, 2}));
  EXPECT_EQ(status_of(2), processing::status::completed);
}

TEST_F(processing_engine_test, a_new_processor_begins_at_the_log_s_end) {
  add_events(1, 3);
  auto p = noting("p");
  p.start = start_point::end();
  ASSERT_TRUE(processors->add(std::move(p)));
  start_engine();
  add_events(4, 5);
  work();
  EXPECT_EQ(seqs(), (std::vector<seq_t>{4, 5}));
}

TEST_F(processing_engine_test, what_comes_while_it_starts_is_new) {
  add_events(1, 3);
  auto p = noting("p");
  p.start = start_point::end();
  ASSERT_TRUE(processors->add(std::move(p)));
  // The server listens from here on; the engine is not there yet.
  processors->starts_at(3);
  add_events(4, 5);
  start_engine();
  add_events(6, 6);
  work();
  EXPECT_EQ(seqs(), (std::vector<seq_t>{4, 5, 6}));
  // One that is added now begins now.
  p = noting("later");
  p.start = start_point::end();
  ASSERT_TRUE(processors->add(std::move(p)));
  settle();
  add_events(7, 7);
  work();
  EXPECT_EQ(seqs(), (std::vector<seq_t>{4, 5, 6, 7}));
  EXPECT_EQ(seqs("later"), (std::vector<seq_t>{7}));
}

TEST_F(processing_engine_test, processors_come_and_go_while_it_runs) {
  start_engine();
  add_events(1, 1);
  ASSERT_TRUE(processors->add(noting("p")));
  settle();
  work();
  EXPECT_EQ(seqs(), (std::vector<seq_t>{1}));
  EXPECT_TRUE(processors->remove("p"));
  settle();
  add_events(2, 3);
  work();
  EXPECT_EQ(seqs(), (std::vector<seq_t>{1}));
  ASSERT_TRUE(processors->add(noting("p")));
  settle();
  work();
  EXPECT_EQ(seqs(), (std::vector<seq_t>{1, 2, 3}));
}

TEST_F(processing_engine_test, what_one_that_is_gone_has_left_is_told) {
  ASSERT_TRUE(processors->add(noting("done")));
  start_engine();
  add_events(1, 3);
  work();
  settle();
  ASSERT_TRUE(processors->add(noting("p")));
  settle();
  const auto lines = keep_log();
  processors = std::make_shared<processing::registry>();
  ASSERT_TRUE(processors->add(noting("new")));
  processors->set_complete(false);
  restart_engine();
  const std::string told =
      "processor p is not there any more, and not done with 3 events";
  EXPECT_EQ(said(*lines, told), 0) << "it may still come";
  processors->set_complete(true);
  run();
  EXPECT_EQ(said(*lines, told), 1);
  auto states = request<std::vector<processing::processor_state>>(
      ctx.peers->engine.get(), list_atom_v);
  run();
  ASSERT_TRUE(states->value);
  const auto& all = *states->value;
  ASSERT_EQ(all.size(), 2u) << "one of them was done";
  EXPECT_EQ(all[0].name, "new");
  EXPECT_EQ(all[1].name, "p");
  EXPECT_EQ(all[1].state, "gone");
  EXPECT_EQ(all[1].ready, 3u);
  // It is there again.
  ASSERT_TRUE(processors->add(noting("p")));
  settle();
  work();
  settle();
  EXPECT_EQ(seqs().size(), 3u);
}

TEST_F(processing_engine_test, what_one_that_is_gone_has_left_is_given_up) {
  auto p = noting("p");
  // It would be tried again in a long time only.
  p.retry_delay = 1h;
  p.max_retry_delay = 1h;
  fail_times["p"] = 1;
  ASSERT_TRUE(processors->add(std::move(p)));
  start_engine();
  add_events(1, 1);
  work();
  settle();
  add_events(2, 3);
  workers->jobs.clear();
  settle();
  EXPECT_EQ(status_of(1), processing::status::retrying);
  EXPECT_EQ(status_of(3), processing::status::processing);
  processors = std::make_shared<processing::registry>();
  ASSERT_TRUE(processors->add(noting("new")));
  restart_engine();
  work();
  // Not read by it, and nobody's.
  add_events(4, 4);
  work();
  settle();
  const auto drop = [&](const std::string& name) {
    auto out = request<uint64_t>(ctx.peers->engine.get(), drop_atom_v, name);
    run();
    return out;
  };
  const auto refused = [&](const std::string& name) {
    return drop(name)->failed.value().code;
  };
  EXPECT_EQ(refused("new"), ec::conflict);
  EXPECT_EQ(refused("nobody"), ec::not_found);
  const auto dropped = drop("p");
  ASSERT_TRUE(dropped->value);
  EXPECT_EQ(*dropped->value, 3u);
  settle();
  work();
  settle();
  settle();
  ASSERT_EQ(log->letters.size(), 3u);
  for (const auto& letter : log->letters) {
    EXPECT_EQ(letter.origin, "processor:p");
    EXPECT_THAT(letter.reason, ::testing::HasSubstr("not there any more"));
  }
  for (const seq_t seq : {1, 2, 3}) {
    EXPECT_EQ(status_of(seq), processing::status::failed);
    EXPECT_TRUE(journal->rows.at({"p", seq}).settled);
  }
  EXPECT_FALSE(processors->find("p"));
  EXPECT_EQ(refused("p"), ec::not_found);
  for (const auto& [feed, mark] : journal->marks["p"])
    EXPECT_EQ(mark.cursor, 4) << "nothing waits for it any more";
}

TEST_F(processing_engine_test, only_the_owner_runs_a_processor) {
  auto owner = std::make_shared<switched_owner>();
  owner->token.reset();
  ctx.owner = owner;
  ASSERT_TRUE(processors->add(noting("p")));
  start_engine();
  add_events(1, 2);
  work();
  EXPECT_TRUE(seen.empty());
  owner->set(3);
  settle();
  work();
  settle();
  EXPECT_EQ(seqs(), (std::vector<seq_t>{1, 2}));
  owner->set(std::nullopt);
  run();
  add_events(3, 4);
  work();
  EXPECT_EQ(seen.size(), 2u);
  owner->set(4);
  settle();
  work();
  EXPECT_EQ(seqs(), (std::vector<seq_t>{1, 2, 3, 4}));
}

// A drain, or a node that joins: the work moves while the fence still holds.
TEST_F(processing_engine_test, what_is_done_is_written_when_the_work_moves) {
  auto owner = std::make_shared<switched_owner>();
  ctx.owner = owner;
  ASSERT_TRUE(processors->add(noting("p")));
  start_engine();
  add_events(1, 3);
  work();
  EXPECT_EQ(journal->rows.count({"p", 3}), 0u) << "not yet";
  owner->set(std::nullopt);
  run();
  EXPECT_EQ(status_of(3), processing::status::completed);
  EXPECT_EQ(journal->marks.at("p").at("normal").cursor, 3);
  owner->set(2);
  settle();
  work();
  EXPECT_EQ(seqs(), (std::vector<seq_t>{1, 2, 3})) << "nothing is done twice";
}

TEST_F(processing_engine_test,
       what_has_not_begun_does_not_once_the_work_moved) {
  auto owner = std::make_shared<switched_owner>();
  ctx.owner = owner;
  int begun = 0;
  auto p = noting("p");
  p.handler = processing::async_handler{
      [&begun](const event_ptr&, const attempt_context&,
               const processing::completion&) { ++begun; }};
  ASSERT_TRUE(processors->add(std::move(p)));
  start_engine();
  add_events(1, 2);
  ASSERT_EQ(starters->jobs.size(), 2u);
  owner->set(std::nullopt);
  run();
  EXPECT_EQ(starters->abandoned.size(), 2u) << "their places are free again";
  work();
  EXPECT_EQ(begun, 0) << "the next owner begins them";
}

TEST_F(processing_engine_test, what_is_cut_off_as_the_work_moves_is_logged) {
  auto owner = std::make_shared<switched_owner>();
  ctx.owner = owner;
  const auto lines = keep_log();
  ASSERT_TRUE(processors->add(noting("p")));
  start_engine();
  add_events(1, 1);
  work();
  owner->set(std::nullopt);
  run();
  EXPECT_EQ(said(*lines, "cut off"), 0) << "nothing ran";
  owner->set(2);
  settle();
  add_events(2, 3);
  ASSERT_EQ(workers->jobs.size(), 2u);
  owner->set(std::nullopt);
  run();
  EXPECT_EQ(workers->abandoned.size(), 2u);
  EXPECT_EQ(said(*lines, "processor p: 2 attempts were still under way as it "
                         "moved and were cut off"),
            1);
}

TEST_F(processing_engine_test, a_removed_one_s_running_handlers_are_logged) {
  const auto lines = keep_log();
  ASSERT_TRUE(processors->add(noting("p")));
  start_engine();
  add_events(1, 1);
  ASSERT_TRUE(processors->remove("p"));
  run();
  EXPECT_EQ(said(*lines, "processor p: 1 attempts were still under way as it "
                         "was removed and were cut off"),
            1);
}

// Else other nodes that have it as well would wait for as long as work is kept
// that nobody asks for.
TEST_F(processing_engine_test, a_removed_one_is_given_back_when_it_is_written) {
  auto owner = std::make_shared<switched_owner>();
  std::vector<std::string> given_back;
  owner->when_ended = [&](const std::string& w) {
    EXPECT_TRUE(journal->rows.contains({"p", 1})) << "too early";
    given_back.push_back(w);
  };
  ctx.owner = owner;
  ASSERT_TRUE(processors->add(noting("p")));
  ASSERT_TRUE(processors->add(noting("stays")));
  start_engine();
  add_events(1, 1);
  work();
  EXPECT_FALSE(journal->rows.contains({"p", 1}));
  ASSERT_TRUE(processors->remove("p"));
  run();
  EXPECT_EQ(given_back, std::vector<std::string>{"processor:p"});
}

TEST_F(processing_engine_test, one_that_is_replaced_is_not_given_back) {
  auto owner = std::make_shared<switched_owner>();
  owner->when_ended = [](const std::string& w) { ADD_FAILURE() << w; };
  ctx.owner = owner;
  ASSERT_TRUE(processors->add(noting("p")));
  start_engine();
  ASSERT_TRUE(processors->remove("p"));
  ASSERT_TRUE(processors->add(noting("p")));
  run();
}

TEST_F(processing_engine_test, an_answering_handler_s_reply_is_handed_on) {
  auto p = noting("p");
  p.answers = true;
  p.handler = processing::blocking_handler{[](const event_ptr& ev,
                                              const attempt_context&) {
    return outcome::done({200, "application/json", "\"" + ev->event_id + "\""});
  }};
  ASSERT_TRUE(processors->add(std::move(p)));
  start_engine();
  const event_ptr ev{make_event(1)};
  auto reply =
      request<processing::reply>(ctx.peers->engine.get(), answer_atom_v, ev);
  run();
  EXPECT_TRUE(reply->pending());
  auto stored =
      request<append_outcome>(ctx.peers->writer.get(), append_atom_v, ev);
  work();
  ASSERT_TRUE(reply->value);
  EXPECT_EQ(reply->value->body, "\"" + ev->event_id + "\"");
}

TEST_F(processing_engine_test, a_reply_that_is_no_answer_is_dropped) {
  const auto lines = keep_log();
  const auto links = std::make_shared<noted_links>();
  ctx.others = links;
  processing::reply next;
  auto p = noting("p");
  p.answers = true;
  p.handler = processing::blocking_handler{
      [&next](const event_ptr&, const attempt_context&) {
        return outcome::done(next);
      }};
  ASSERT_TRUE(processors->add(std::move(p)));
  start_engine();
  std::vector<processing::reply> bad(7);
  bad[0].status = 0;
  bad[1].status = 101;
  bad[2].status = 600;
  bad[3].status = -200;
  bad[4].content_type = "text/plain\r\nSet-Cookie: a=b";
  bad[5].content_type = "text/plain\n";
  bad[6].content_type = "text/\xc3\xbc";
  const std::string told = "processor p: its reply can't be sent";
  int number = 0;
  for (const auto& r : bad) {
    next = r;
    ++number;
    add_events(number, number);
    work();
    ASSERT_EQ(links->said.size(), static_cast<size_t>(number));
    EXPECT_FALSE(links->said.back().second) << number;
    EXPECT_EQ(said(*lines, told), number);
  }
  next = {599, "text/plain; charset=utf-8", "fine"};
  add_events(number + 1, number + 1);
  work();
  EXPECT_TRUE(links->said.back().second);
  EXPECT_EQ(said(*lines, told), number);
}

TEST_F(processing_engine_test, what_a_handler_says_of_its_failure_is_bounded) {
  const auto lines = keep_log();
  auto p = noting("p");
  p.max_retries = 1;
  p.handler = processing::blocking_handler{
      [](const event_ptr&, const attempt_context&) -> outcome {
        std::string why = "q";
        for (int i = 0; i < 100'000; ++i)
          why += "\u20ac";
        throw std::runtime_error{why};
      }};
  auto asynchronous = noting("async");
  asynchronous.max_retries = 0;
  asynchronous.handler =
      processing::async_handler{[](const event_ptr&, const attempt_context&,
                                   const processing::completion& ended) {
        ended(outcome::give_up(std::string(100'000, 'x')));
      }};
  ASSERT_TRUE(processors->add(std::move(p)));
  ASSERT_TRUE(processors->add(std::move(asynchronous)));
  start_engine();
  add_events(1, 1);
  work();
  advance(2s);
  work();
  settle();
  ASSERT_EQ(log->letters.size(), 2u);
  for (const auto& letter : log->letters) {
    EXPECT_LE(letter.reason.size(), processing::longest_error);
    EXPECT_GT(letter.reason.size(), processing::longest_error - 4);
    EXPECT_TRUE(codec::is_utf8(letter.reason));
    for (const auto& one : letter.history)
      EXPECT_LE(one.error.size(), processing::longest_error);
  }
  for (const auto& line : lines->last_formatted())
    EXPECT_LT(line.size(), 2 * processing::longest_error);
}

TEST_F(processing_engine_test, what_a_handler_remarks_is_logged) {
  const auto lines = keep_log();
  auto p = noting("p");
  p.handler = processing::blocking_handler{
      [](const event_ptr&, const attempt_context&) {
        auto o = outcome::done();
        o.remark = "its output was too long";
        return o;
      }};
  ASSERT_TRUE(processors->add(std::move(p)));
  start_engine();
  add_events(1, 1);
  work();
  EXPECT_EQ(said(*lines, "processor p: its output was too long"), 1);
}

// The webhook came to this node, the processor is another one's.
TEST_F(processing_engine_test, a_reply_of_another_node_s_handler_is_handed_on) {
  auto links = std::make_shared<noted_links>();
  ctx.others = links;
  auto owner = std::make_shared<switched_owner>();
  owner->token.reset();
  ctx.owner = owner;
  auto p = noting("p");
  p.answers = true;
  ASSERT_TRUE(processors->add(std::move(p)));
  start_engine();
  const auto ask = [&](int number) {
    auto ev = make_event(number);
    ev.id = uuid{{static_cast<uint8_t>(number)}};
    auto asked = request<processing::reply>(ctx.peers->engine.get(),
                                            answer_atom_v, event_ptr{ev});
    run();
    return asked;
  };
  auto said = ask(1);
  EXPECT_TRUE(said->pending());
  tell_anon(ctx.peers->engine.get(), answer_atom_v, uuid{{9}},
            processing::reply{200, "text/plain", "to another event"});
  tell_anon(ctx.peers->engine.get(), answer_atom_v, uuid{{1}},
            processing::reply{202, "text/plain", "hello"});
  run();
  ASSERT_TRUE(said->value);
  EXPECT_EQ(said->value->body, "hello");
  auto silent = ask(2);
  tell_anon(ctx.peers->engine.get(), answer_atom_v, uuid{{2}});
  run();
  ASSERT_TRUE(silent->failed);
  EXPECT_EQ(silent->failed->code, ec::not_found);
  links->up = false;
  auto alone = ask(3);
  ASSERT_TRUE(alone->failed) << "nothing would ever come";
}

TEST_F(processing_engine_test, a_reply_goes_to_the_node_that_waits_for_it) {
  auto links = std::make_shared<noted_links>();
  ctx.others = links;
  auto p = noting("p");
  p.answers = true;
  p.handler = processing::blocking_handler{
      [](const event_ptr&, const processing::attempt_context&) {
        return processing::outcome::done(
            processing::reply{200, "text/plain", "hello"});
      }};
  ASSERT_TRUE(processors->add(std::move(p)));
  start_engine();
  // Its webhook came to another node.
  add_events(1, 1);
  work();
  ASSERT_EQ(links->said.size(), 1u);
  EXPECT_EQ(links->said[0].first, log->events().front()->id);
  ASSERT_TRUE(links->said[0].second);
  EXPECT_EQ(links->said[0].second->body, "hello");
}

/// Has some of the work, not all of it.
class half_owner final : public ownership {
 public:
  std::optional<fence> held(const std::string& work) override {
    return work == "processor:p" ? std::optional{fence{work, 1}} : std::nullopt;
  }
  std::string holder(const std::string&) const override { return "b"; }
  std::shared_ptr<void> on_change(std::function<void()>) override {
    return nullptr;
  }
};

// What other nodes do with it only the store can tell.
TEST_F(processing_engine_test, names_those_elsewhere_that_want_the_event) {
  ctx.owner = std::make_shared<half_owner>();
  ASSERT_TRUE(processors->add(noting("p")));
  ASSERT_TRUE(processors->add(noting("elsewhere")));
  auto other = noting("other");
  other.filter.platforms = {"nobody"};
  ASSERT_TRUE(processors->add(std::move(other)));
  start_engine();
  add_events(1, 1);
  work();
  settle();
  EXPECT_TRUE(journal->rows.at({"p", 1}).settled);
  EXPECT_EQ(journal->rows.at({"p", 1}).others,
            std::vector<std::string>{"elsewhere"});
}

TEST_F(processing_engine_test, a_retry_elsewhere_says_where) {
  auto owner = std::make_shared<switched_owner>();
  owner->token.reset();
  ctx.owner = owner;
  ASSERT_TRUE(processors->add(noting("p")));
  start_engine();
  dead_letter x;
  x.origin = "processor:p";
  auto asked = request<void>(ctx.peers->engine.get(), retry_atom_v, x);
  run();
  ASSERT_TRUE(asked->failed);
  EXPECT_EQ(asked->failed->code, ec::not_owner);
  EXPECT_NE(asked->failed->message.find("b (10.0.0.2:8080)"),
            std::string::npos);
  const auto states = request<std::vector<processing::processor_state>>(
      ctx.peers->engine.get(), list_atom_v);
  run();
  ASSERT_TRUE(states->value);
  EXPECT_EQ(states->value->at(0).state, "elsewhere");
  EXPECT_EQ(states->value->at(0).owner, "b (10.0.0.2:8080)");
}

// Work that nobody asks for is forgotten, and with it the wish for it.
TEST_F(processing_engine_test, goes_on_asking_whether_it_is_the_owner) {
  auto owner = std::make_shared<switched_owner>();
  owner->token.reset();
  ctx.owner = owner;
  ASSERT_TRUE(processors->add(noting("p")));
  start_engine();
  const auto before = owner->asked;
  advance(std::chrono::seconds{50});
  EXPECT_GE(owner->asked, before + 2);
}

TEST_F(processing_engine_test, nobody_to_answer_is_said_at_once) {
  ASSERT_TRUE(processors->add(noting("p")));
  start_engine();
  auto reply = request<processing::reply>(
      ctx.peers->engine.get(), answer_atom_v, event_ptr{make_event(1)});
  run();
  ASSERT_TRUE(reply->failed);
  EXPECT_EQ(reply->failed->code, ec::not_found);
}

TEST_F(processing_engine_test, a_dead_letter_is_tried_again) {
  auto p = noting("p");
  p.max_retries = 0;
  fail_times["p"] = 1;
  ASSERT_TRUE(processors->add(std::move(p)));
  start_engine();
  add_events(1, 1);
  work();
  settle();
  ASSERT_EQ(log->letters.size(), 1u);
  auto again =
      request<void>(ctx.peers->engine.get(), retry_atom_v, log->letters[0]);
  advance(300ms);
  EXPECT_TRUE(again->value);
  EXPECT_EQ(status_of(1), processing::status::pending);
  // And not forgotten when the engine dies before it is done.
  restart_engine();
  work();
  settle();
  EXPECT_EQ(seqs(), (std::vector<seq_t>{1, 1}));
  EXPECT_EQ(status_of(1), processing::status::completed);
}

TEST_F(processing_engine_test,
       a_dead_letter_given_back_twice_is_not_forgotten) {
  auto p = noting("p");
  p.max_retries = 0;
  fail_times["p"] = 1;
  ASSERT_TRUE(processors->add(std::move(p)));
  start_engine();
  add_events(1, 1);
  work();
  settle();
  ASSERT_EQ(log->letters.size(), 1u);
  journal->down = error{ec::store_unavailable, "away"};
  auto first =
      request<void>(ctx.peers->engine.get(), retry_atom_v, log->letters[0]);
  auto second =
      request<void>(ctx.peers->engine.get(), retry_atom_v, log->letters[0]);
  advance(1s);
  EXPECT_TRUE(first->pending());
  EXPECT_TRUE(second->pending()) << "nothing is written yet";
  journal->down.reset();
  advance(20s);
  EXPECT_TRUE(first->value);
  EXPECT_TRUE(second->value);
}

TEST_F(processing_engine_test, the_end_waits_for_what_runs_and_writes_it) {
  ASSERT_TRUE(processors->add(noting("p")));
  start_engine();
  add_events(1, 1);
  auto flushed = request<void>(ctx.peers->engine.get(), flush_atom_v);
  run();
  EXPECT_TRUE(flushed->pending());
  work();
  advance(300ms);
  EXPECT_TRUE(flushed->value);
  EXPECT_EQ(status_of(1), processing::status::completed);
}

TEST_F(processing_engine_test, the_end_does_not_wait_for_ever) {
  ASSERT_TRUE(processors->add(noting("p")));
  start_engine();
  add_events(1, 1);
  auto flushed = request<void>(ctx.peers->engine.get(), flush_atom_v);
  advance(3s);
  EXPECT_TRUE(flushed->value);
  EXPECT_EQ(workers->abandoned.size(), 1u);
  // It is still to be done.
  EXPECT_NE(journal->marks.at("p").at("normal").mark.find("[1,"),
            std::string::npos);
}

TEST_F(processing_engine_test, the_end_takes_the_time_that_there_is) {
  ASSERT_TRUE(processors->add(noting("p")));
  start_engine();
  add_events(1, 1);
  auto flushed =
      request<void>(ctx.peers->engine.get(), flush_atom_v, uint32_t{10'000});
  advance(7s);
  EXPECT_TRUE(flushed->pending());
  EXPECT_TRUE(workers->abandoned.empty());
  work();
  advance(300ms);
  EXPECT_TRUE(flushed->value);
  EXPECT_EQ(status_of(1), processing::status::completed);
}

TEST_F(processing_engine_test, the_end_leaves_time_to_write) {
  ASSERT_TRUE(processors->add(noting("p")));
  start_engine();
  add_events(1, 1);
  auto flushed =
      request<void>(ctx.peers->engine.get(), flush_atom_v, uint32_t{2'600});
  advance(2'500ms);
  EXPECT_TRUE(flushed->value);
  EXPECT_EQ(workers->abandoned.size(), 1u);
}

TEST_F(processing_engine_test, tells_how_processors_are_doing) {
  workers->places = 1;
  ASSERT_TRUE(processors->add(noting("p")));
  start_engine();
  add_events(1, 3);
  auto states = request<std::vector<processing::processor_state>>(
      ctx.peers->engine.get(), list_atom_v);
  run();
  ASSERT_TRUE(states->value);
  ASSERT_EQ(states->value->size(), 1u);
  const auto& s = states->value->front();
  EXPECT_EQ(s.state, "running");
  EXPECT_EQ(s.running, 1u);
  EXPECT_EQ(s.ready, 2u);
}

} // namespace
} // namespace eventweft::testing
