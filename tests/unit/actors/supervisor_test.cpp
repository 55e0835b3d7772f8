// SPDX-License-Identifier: Apache-2.0
#include "actors/supervisor.hpp"
#include "tests/support/deterministic.hpp"
#include "tests/support/figures.hpp"

namespace eventweft {

namespace {

using std::chrono::milliseconds;

class supervisor_test : public testing::deterministic {
 protected:
  struct place {
    caf::actor handle;
    int starts = 0;
    timestamp lost{};
    std::vector<int64_t> pauses;
  };

  std::map<std::string, place> places;
  std::vector<std::string> ended;
  std::vector<std::string> escalations;
  supervisor_options options;

  supervisor_test() {
    options.restart_min = milliseconds{100};
    options.restart_max = milliseconds{800};
    options.max_restarts = 5;
    options.restart_window = milliseconds{60'000};
    options.escalate = [this](std::string why) {
      escalations.push_back(std::move(why));
    };
  }

  child_spec child(const std::string& name, stop_phase phase) {
    child_spec out;
    out.name = name;
    out.phase = phase;
    out.start = [this, name] {
      auto& p = places[name];
      if (p.starts++ > 0)
        p.pauses.push_back((time->now() - p.lost).count() / 1'000);
      p.handle = keep(system.spawn([this, name](caf::event_based_actor* self) {
        self->attach_functor(
            [this, name](const caf::error&) { ended.push_back(name); });
        return caf::behavior{[](int) {}};
      }));
      return p.handle;
    };
    out.gone = [this, name] {
      places[name].handle = nullptr;
      places[name].lost = time->now();
    };
    return out;
  }

  supervisor_actor start(std::vector<child_spec> children) {
    auto out =
        keep(spawn_supervisor(system, ctx, options, std::move(children)));
    run();
    return out;
  }

  void crash_child(const std::string& name) {
    crash(places[name].handle);
    run();
  }
};

TEST_F(supervisor_test, restarts_after_a_pause) {
  start({child("a", stop_phase::edges), child("b", stop_phase::edges)});
  crash_child("a");
  EXPECT_FALSE(places["a"].handle);
  EXPECT_TRUE(places["b"].handle);
  advance(milliseconds{105});
  EXPECT_TRUE(places["a"].handle);
  EXPECT_EQ(places["a"].starts, 2);
  EXPECT_EQ(places["b"].starts, 1);
  EXPECT_EQ(testing::restarts_of(*ctx.figures, "a"), 1);
  EXPECT_EQ(testing::restarts_of(*ctx.figures, "b"), -1);
}

TEST_F(supervisor_test, who_comes_later_is_restarted_like_the_others) {
  options.board = std::make_shared<actor_board>();
  auto s = start({child("a", stop_phase::edges)});
  tell_anon(s, put_atom_v,
            std::make_shared<child_spec>(child("late", stop_phase::writer)));
  run();
  EXPECT_EQ(places["late"].starts, 1);
  crash_child("late");
  EXPECT_FALSE(places["late"].handle);
  advance(milliseconds{105});
  EXPECT_TRUE(places["late"].handle);
  EXPECT_EQ(testing::restarts_of(*ctx.figures, "late"), 1);
  const auto all = options.board->list();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[1].name, "late");
  EXPECT_EQ(all[1].phase, "writer");
  EXPECT_EQ(all[1].state, "running");
  EXPECT_EQ(all[1].restarts, 1u);
  auto stopped = request<void>(s, stop_atom_v, uint32_t{5'000});
  run();
  EXPECT_TRUE(stopped->value);
  EXPECT_EQ(ended, (std::vector<std::string>{"late", "a", "late"}));
}

TEST_F(supervisor_test, who_is_not_wanted_any_more_has_not_failed) {
  options.board = std::make_shared<actor_board>();
  auto late = std::make_shared<child_spec>(child("late", stop_phase::edges));
  bool wanted = true;
  late->wanted = [&wanted] { return wanted; };
  auto s = start({});
  tell_anon(s, put_atom_v, late);
  run();
  // Not while it would be started anew either.
  crash_child("late");
  wanted = false;
  advance(milliseconds{1'000});
  EXPECT_EQ(places["late"].starts, 1);
  EXPECT_EQ(options.board->list().at(0).state, "ended");
  tell_anon(s, put_atom_v, late);
  run();
  EXPECT_EQ(places["late"].starts, 1);
  wanted = true;
  tell_anon(s, put_atom_v, late);
  run();
  EXPECT_EQ(places["late"].starts, 2);
  wanted = false;
  crash_child("late");
  advance(milliseconds{1'000});
  EXPECT_EQ(places["late"].starts, 2);
  EXPECT_EQ(testing::restarts_of(*ctx.figures, "late"), -1);
}

TEST_F(supervisor_test, pauses_grow_and_start_small_again_after_a_quiet_time) {
  options.max_restarts = 100;
  start({child("a", stop_phase::edges)});
  for (int i = 0; i < 5; ++i) {
    crash_child("a");
    advance(milliseconds{900});
  }
  std::vector<int64_t> full{100, 200, 400, 800, 800};
  ASSERT_EQ(places["a"].pauses.size(), full.size());
  for (size_t i = 0; i < full.size(); ++i) {
    EXPECT_GE(places["a"].pauses[i], full[i] / 2) << i;
    EXPECT_LE(places["a"].pauses[i], full[i] + 5) << i;
  }
  time->advance(milliseconds{61'000});
  crash_child("a");
  advance(milliseconds{900});
  EXPECT_LE(places["a"].pauses.back(), 105);
}

TEST_F(supervisor_test, child_that_ends_normally_is_restarted_too) {
  start({child("a", stop_phase::edges)});
  end_actor(places["a"].handle, caf::exit_reason::user_shutdown);
  advance(milliseconds{200});
  EXPECT_EQ(places["a"].starts, 2);
}

TEST_F(supervisor_test, too_many_restarts_escalate_once) {
  start({child("a", stop_phase::edges), child("b", stop_phase::edges)});
  for (int i = 0; i < 6; ++i) {
    crash_child(i % 2 == 0 ? "a" : "b");
    advance(milliseconds{900});
  }
  ASSERT_EQ(escalations.size(), 1u);
  EXPECT_NE(escalations[0].find("b"), std::string::npos);
  crash_child("a");
  advance(milliseconds{2'000});
  EXPECT_EQ(escalations.size(), 1u);
  EXPECT_FALSE(places["a"].handle);
}

TEST_F(supervisor_test, restarts_long_ago_do_not_count) {
  start({child("a", stop_phase::edges)});
  for (int i = 0; i < 12; ++i) {
    crash_child("a");
    advance(milliseconds{900});
    time->advance(milliseconds{20'000});
  }
  EXPECT_TRUE(escalations.empty());
  EXPECT_EQ(places["a"].starts, 13);
}

TEST_F(supervisor_test, stops_in_order) {
  bool subscriptions_ended = false;
  options.end_subscriptions = [&] {
    subscriptions_ended = true;
    EXPECT_EQ(ended, (std::vector<std::string>{"edge", "writer"}));
  };
  auto s = start(
      {child("store", stop_phase::workers),
       child("reader", stop_phase::readers), child("hub", stop_phase::streams),
       child("writer", stop_phase::writer), child("edge", stop_phase::edges)});
  auto stopped = request<void>(s, stop_atom_v, uint32_t{5'000});
  run();
  EXPECT_TRUE(stopped->value);
  EXPECT_TRUE(subscriptions_ended);
  EXPECT_EQ(ended, (std::vector<std::string>{"edge", "writer", "hub", "reader",
                                             "store"}));
  advance(milliseconds{2'000});
  EXPECT_EQ(places["edge"].starts, 1);
}

TEST_F(supervisor_test, flushes_the_writer_before_it_ends_it) {
  caf::typed_response_promise<void> flushed;
  auto writer = [&](storage_writer_actor::pointer self)
      -> storage_writer_actor::behavior_type {
    return {
        [](append_atom, const event_ptr&) { return append_outcome{}; },
        [](relayed_atom, const event_ptr&) { return append_outcome{}; },
        [&flushed](retry_atom) { flushed.deliver(); },
        [&flushed, self](flush_atom) -> caf::result<void> {
          flushed = self->make_response_promise<void>();
          return flushed;
        },
    };
  };
  child_spec spec;
  spec.name = "writer";
  spec.phase = stop_phase::writer;
  spec.start = [&] {
    auto h = system.spawn(writer);
    ctx.peers->writer.set(h);
    h->attach_functor([this] { ended.push_back("writer"); });
    return caf::actor_cast<caf::actor>(h);
  };
  spec.gone = [this] { ctx.peers->writer.set({}); };
  auto s = start({spec});
  auto stopped = request<void>(s, stop_atom_v, uint32_t{60'000});
  run();
  EXPECT_TRUE(ended.empty());
  EXPECT_FALSE(stopped->value);
  tell_anon(ctx.peers->writer.get(), retry_atom_v);
  run();
  EXPECT_EQ(ended, (std::vector<std::string>{"writer"}));
  EXPECT_TRUE(stopped->value);
}

TEST_F(supervisor_test, handlers_have_what_the_writer_left_but_for_a_third) {
  std::vector<uint32_t> told;
  auto engine = [&told](processing_engine_actor::pointer)
      -> processing_engine_actor::behavior_type {
    return {
        [](poll_atom) {},
        [](page_atom, uint64_t, const log_range_ptr&) {},
        [](ready_atom, uint64_t, const processing::outcome&) {},
        [](next_atom) {},
        [](answer_atom, const event_ptr&) -> caf::result<processing::reply> {
          return processing::reply{};
        },
        [](answer_atom, const uuid&, const processing::reply&) {},
        [](answer_atom, const uuid&) {},
        [](retry_atom, const dead_letter&) {},
        [](list_atom) { return std::vector<processing::processor_state>{}; },
        [](drop_atom, const std::string&) { return uint64_t{0}; },
        [](flush_atom) {},
        [&told](flush_atom, uint32_t within) { told.push_back(within); },
    };
  };
  ctx.peers->engine.set(keep(system.spawn(engine)));
  auto s = start({});
  auto stopped = request<void>(s, stop_atom_v, uint32_t{9'000});
  run();
  EXPECT_TRUE(stopped->value);
  EXPECT_EQ(told, std::vector<uint32_t>{6'000});
}

TEST_F(supervisor_test, deadline_ends_what_does_not_end_by_itself) {
  auto stubborn = child("stubborn", stop_phase::edges);
  stubborn.start = [this] {
    auto h = system.spawn([this](caf::event_based_actor* self) {
      self->set_exit_handler([self](caf::exit_msg& m) {
        if (m.reason == caf::exit_reason::kill)
          self->quit(m.reason);
      });
      self->attach_functor(
          [this](const caf::error&) { ended.push_back("stubborn"); });
      return caf::behavior{[](int) {}};
    });
    places["stubborn"].handle = h;
    return h;
  };
  auto s = start({std::move(stubborn)});
  auto stopped = request<void>(s, stop_atom_v, uint32_t{1'000});
  run();
  EXPECT_FALSE(stopped->value);
  advance(milliseconds{1'100});
  EXPECT_TRUE(stopped->value);
  EXPECT_EQ(ended, (std::vector<std::string>{"stubborn"}));
}

} // namespace

} // namespace eventweft
