// SPDX-License-Identifier: Apache-2.0
#include "actors/caf_compat.hpp"
#include "actors/cluster/mesh.hpp"
#include "actors/supervisor.hpp"
#include "tests/integration/cluster/plain_socket.hpp"
#include "tests/integration/outgoing/certificates.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/figures.hpp"
#include "tests/support/memory_store.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/io/remote_actor.hpp>
#include <caf/openssl/remote_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ringbuffer_sink.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>

namespace eventweft {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto dead_after = 7'000ms;

/// What a hub would have been told.
struct told {
  std::mutex mutex;
  std::vector<seq_t> events;
  std::atomic<seq_t> reaches{0};
  /// Of handlers, by event.
  std::map<uuid, std::string> replies;
};

stream_hub_actor spawn_listener(caf::actor_system& sys,
                                std::shared_ptr<told> all) {
  const auto listener =
      [](stream_hub_actor::pointer,
         const std::shared_ptr<told>& t) -> stream_hub_actor::behavior_type {
    return {
        [t](committed_atom, const log_range_ptr& range) {
          std::lock_guard guard{t->mutex};
          for (const auto& ev : range->events)
            t->events.push_back(ev->seq);
        },
        [](ready_atom, lane_number) {},
        [](join_atom, join_request&) { return join_answer{}; },
        [](leave_atom, subscription_id) {},
        [](head_atom) { return seq_t{0}; },
        [](poll_atom) {},
        [t](poll_atom, seq_t seq) { t->reaches = seq; },
    };
  };
  return sys.spawn(listener, std::move(all));
}

processing_engine_actor spawn_engine(caf::actor_system& sys,
                                     std::shared_ptr<told> all) {
  const auto engine = [](processing_engine_actor::pointer,
                         const std::shared_ptr<told>& t)
      -> processing_engine_actor::behavior_type {
    return {
        [](poll_atom) {},
        [](page_atom, uint64_t, const log_range_ptr&) {},
        [](ready_atom, uint64_t, const processing::outcome&) {},
        [](next_atom) {},
        [](answer_atom, const event_ptr&) -> caf::result<processing::reply> {
          return processing::reply{};
        },
        [t](answer_atom, const uuid& id, const processing::reply& r) {
          std::lock_guard guard{t->mutex};
          t->replies[id] = r.body;
        },
        [t](answer_atom, const uuid& id) {
          std::lock_guard guard{t->mutex};
          t->replies[id] = "none";
        },
        [](retry_atom, const dead_letter&) {},
        [](list_atom) { return std::vector<processing::processor_state>{}; },
        [](drop_atom, const std::string&) { return uint64_t{0}; },
        [](flush_atom) {},
        [](flush_atom, uint32_t) {},
    };
  };
  return sys.spawn(engine, std::move(all));
}

/// What a node's storage writer was handed by other nodes.
struct handed_over {
  std::mutex mutex;
  std::vector<std::string> events;
  /// Whether it says nothing to that, and those who wait.
  bool silent = false;
  std::vector<caf::typed_response_promise<append_outcome>> waiting;
};

storage_writer_actor spawn_writer(caf::actor_system& sys,
                                  std::shared_ptr<handed_over> all) {
  const auto writer = [](storage_writer_actor::pointer self,
                         const std::shared_ptr<handed_over>& a)
      -> storage_writer_actor::behavior_type {
    return {
        [](append_atom, const event_ptr&) { return append_outcome{}; },
        [self, a](relayed_atom,
                  const event_ptr& ev) -> caf::result<append_outcome> {
          std::lock_guard guard{a->mutex};
          if (ev->platform == "bad")
            return to_caf(ec::row_refused, "bad row");
          a->events.push_back(ev->event_id);
          if (a->silent) {
            a->waiting.push_back(self->make_response_promise<append_outcome>());
            return a->waiting.back();
          }
          return append_outcome{ev->id, static_cast<seq_t>(a->events.size()),
                                false, false};
        },
        [](retry_atom) {},
        [](flush_atom) {},
    };
  };
  return sys.spawn(writer, std::move(all));
}

/// One node: a system of its own with its links.
class test_node {
 public:
  explicit test_node(
      const std::string& name, uint8_t store = 1, uint16_t port = 0,
      port_limits limits = {},
      std::function<bool(const std::string&, uint16_t)> reachable = {},
      const std::optional<transport_files>& tls = {})
      : cfg(tls) {
    ctx.peers = std::make_shared<directory>();
    ctx.status = std::make_shared<status_board>();
    ctx.figures = std::make_shared<metrics>();
    ctx.log = std::make_shared<spdlog::logger>(name, lines);
    ctx.time = std::make_shared<system_clock>();
    ctx.random = std::make_shared<system_random>();
    ctx.peers->hub.set(spawn_listener(system, hub));
    ctx.peers->engine.set(spawn_engine(system, hub));
    ctx.peers->writer.set(spawn_writer(system, writer));
    mesh_options o;
    o.me.node = name;
    o.me.protocol = link::newest_protocol;
    o.me.store = uuid{{store}};
    o.me.types = transport_types();
    o.tls = tls.has_value();
    o.retry_max = 300ms;
    o.limits = limits;
    o.reachable = std::move(reachable);
    supervisor_options s;
    s.board = board;
    supervisor = spawn_supervisor(system, ctx, s, {});
    links = std::make_unique<mesh>(system, ctx, supervisor, o,
                                   std::make_shared<link::no_identity>());
    record.name = name;
    record.address =
        "127.0.0.1:" + std::to_string(links->listen("127.0.0.1", port).value());
    heard = ctx.control->subscribe(control_kind::keys,
                                   [this](const control_event& e) {
                                     std::lock_guard guard{hub->mutex};
                                     if (!e.what.empty())
                                       keys.push_back(e.what);
                                   });
  }

  ~test_node() {
    links->close();
    caf::anon_send_exit(supervisor, caf::exit_reason::kill);
    caf::anon_send_exit(ctx.peers->hub.get(), caf::exit_reason::kill);
    caf::anon_send_exit(ctx.peers->engine.get(), caf::exit_reason::kill);
    caf::anon_send_exit(ctx.peers->writer.get(), caf::exit_reason::kill);
    {
      std::lock_guard guard{writer->mutex};
      writer->waiting.clear();
    }
    ctx.peers->clear();
  }

  uint16_t port() const { return split_address(record.address)->second; }

  std::string link_to(const std::string& peer) const {
    for (const auto& l : links->links())
      if (l.peer == peer)
        return l.state;
    return "none";
  }

  int64_t restarts(const std::string& actor) const {
    return testing::restarts_of(*ctx.figures, actor);
  }

  /// As people are shown it.
  std::string state_of(const std::string& part) const {
    for (const auto& e : board->list())
      if (e.name == part)
        return e.state;
    return "none";
  }

  /// What is published at its port; null: nothing that lives.
  caf::actor gate() {
    caf::actor out;
    // CAF leaves something in each thread that asks it.
    std::thread{[&] {
      auto found = system.has_openssl_manager()
                       ? caf::openssl::remote_actor(system, "127.0.0.1", port())
                       : caf::io::remote_actor(system, "127.0.0.1", port());
      if (found)
        out = std::move(*found);
    }}.join();
    return out;
  }

  /// How many lines of its log have `text`.
  auto said(const std::string& text) const {
    return std::ranges::count_if(lines->last_formatted(), [&](const auto& l) {
      return l.find(text) != l.npos;
    });
  }

  struct config : caf::actor_system_config {
    explicit config(const std::optional<transport_files>& tls) {
      prepare_transport(*this, tls);
    }
  };

  config cfg;
  caf::actor_system system{cfg};
  std::shared_ptr<spdlog::sinks::ringbuffer_sink_mt> lines =
      std::make_shared<spdlog::sinks::ringbuffer_sink_mt>(200);
  actor_context ctx;
  std::shared_ptr<actor_board> board = std::make_shared<actor_board>();
  supervisor_actor supervisor;
  std::shared_ptr<told> hub = std::make_shared<told>();
  std::shared_ptr<handed_over> writer = std::make_shared<handed_over>();
  std::vector<std::string> keys;
  node_record record;
  std::unique_ptr<mesh> links;
  std::shared_ptr<void> heard;
};

class mesh_test : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { init_message_types(); }

  template <class F>
  static bool within(std::chrono::milliseconds limit, F holds) {
    return testing::eventually(holds, limit);
  }

  static void meet(std::vector<test_node*> all) {
    std::vector<node_record> records;
    for (auto* n : all)
      records.push_back(n->record);
    for (auto* n : all)
      n->links->see(records, dead_after);
  }

  /// Waits until both ends of their link are up.
  static ::testing::AssertionResult linked(test_node& a, test_node& b) {
    const auto up = [&] {
      return a.link_to(b.record.name) == "up" &&
             b.link_to(a.record.name) == "up";
    };
    if (within(20s, up))
      return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << a.link_to(b.record.name);
  }

  static log_range_ptr range(seq_t first, seq_t last) {
    log_range out{first, last, {}};
    for (auto n = first; n <= last; ++n) {
      auto e = testing::make_event(static_cast<int>(n));
      e.seq = n;
      out.events.emplace_back(std::move(e));
    }
    return std::make_shared<const log_range>(std::move(out));
  }
};

TEST_F(mesh_test, EventsAndChangesReachEveryPeer) {
  test_node a{"a"}, b{"b"}, c{"c"};
  meet({&a, &b, &c});
  ASSERT_TRUE(within(20s, [&] {
    return a.link_to("b") == "up" && a.link_to("c") == "up" &&
           b.link_to("a") == "up" && b.link_to("c") == "up" &&
           c.link_to("a") == "up" && c.link_to("b") == "up";
  })) << a.link_to("b");
  b.links->committed(range(1, 3));
  b.links->announce({control_kind::keys, "k1"});
  for (auto* n : {&a, &c}) {
    EXPECT_TRUE(within(1s, [&] {
      std::lock_guard guard{n->hub->mutex};
      return n->hub->events.size() == 3 && n->keys.size() == 1;
    })) << "not within a second";
    std::lock_guard guard{n->hub->mutex};
    EXPECT_THAT(n->hub->events, ElementsAre(1, 2, 3));
    EXPECT_THAT(n->keys, ElementsAre("k1"));
  }
  EXPECT_TRUE(b.hub->events.empty());
  EXPECT_TRUE(within(3s, [&] { return a.hub->reaches == 3; }))
      << "a ping tells how far the log is";
  EXPECT_EQ(a.links->head(), 3);
}

// After a start of all nodes nobody has committed anything yet.
TEST_F(mesh_test, APeerTellsHowFarItsHubFoundTheLog) {
  test_node a{"a"}, b{"b"};
  b.ctx.figures->set_head(41);
  meet({&a, &b});
  ASSERT_TRUE(within(20s, [&] { return a.link_to("b") == "up"; }))
      << a.link_to("b");
  EXPECT_TRUE(within(20s, [&] {
    const auto links = a.links->links();
    return links.size() == 1 && links.front().peer_head == 41;
  }));
  EXPECT_EQ(b.links->head(), 41);
}

TEST_F(mesh_test, RepliesOfHandlersReachEveryPeer) {
  test_node a{"a"}, b{"b"};
  EXPECT_FALSE(a.links->hears_replies());
  meet({&a, &b});
  ASSERT_TRUE(linked(a, b));
  EXPECT_TRUE(a.links->hears_replies());
  b.links->replied(uuid{{1}}, processing::reply{200, "text/plain", "hello"});
  b.links->replied(uuid{{2}}, std::nullopt);
  const std::map<uuid, std::string> all{{uuid{{1}}, "hello"},
                                        {uuid{{2}}, "none"}};
  EXPECT_TRUE(within(5s, [&] {
    std::lock_guard guard{a.hub->mutex};
    return a.hub->replies == all;
  }));
}

TEST_F(mesh_test, APeerWhereNobodyReadsIsSentNoEvents) {
  test_node a{"a"}, b{"b"};
  // Before there is a link, and over one that is there.
  b.links->wants_events(false);
  meet({&a, &b});
  const auto gets_events = [&a] {
    const auto links = a.links->links();
    return links.size() != 1 || links.front().gets_events;
  };
  ASSERT_TRUE(within(20s, [&] {
    return a.link_to("b") == "up" && b.link_to("a") == "up" && !gets_events();
  })) << a.link_to("b");
  a.links->committed(range(1, 3));
  EXPECT_TRUE(within(5s, [&] { return b.hub->reaches == 3; }));
  b.links->wants_events(true);
  ASSERT_TRUE(within(5s, gets_events));
  a.links->committed(range(4, 5));
  EXPECT_TRUE(within(5s, [&] {
    std::lock_guard guard{b.hub->mutex};
    return b.hub->events.size() == 2;
  }));
  std::lock_guard guard{b.hub->mutex};
  EXPECT_THAT(b.hub->events, ElementsAre(4, 5));
}

/// Hands events to the node that appends for `from`, as its writer would.
expected<append_results> hand_over(test_node& from,
                                   std::vector<event_ptr> events) {
  const auto to = from.links->relay();
  if (!to)
    return fail(ec::not_found, "nobody appends for this node");
  expected<append_results> out = fail(ec::internal, "no answer");
  caf::scoped_actor self{from.system};
  self->request(to->link, 20s, relay_order{std::move(events)})
      .receive([&](append_results& r) { out = std::move(r); },
               [&](const caf::error& e) { out = fail(from_caf(e)); });
  return out;
}

event_ptr numbered(int n, const std::string& platform = "github") {
  return event_ptr{testing::make_event(n, platform)};
}

TEST_F(mesh_test, OneNodeAppendsForAnother) {
  test_node a{"a"}, b{"b"};
  meet({&a, &b});
  ASSERT_TRUE(linked(a, b));
  EXPECT_FALSE(b.links->relay()) << "as long as nobody is chosen";
  for (auto* n : {&a, &b})
    n->links->set_appender("a");
  EXPECT_FALSE(a.links->relay()) << "not for itself";
  ASSERT_TRUE(b.links->relay());
  EXPECT_EQ(b.links->relay()->node, "a");

  const std::vector<event_ptr> events{numbered(1), numbered(2, "bad"),
                                      numbered(3)};
  const auto done = hand_over(b, events);
  ASSERT_TRUE(done) << done.error().message;
  ASSERT_EQ(done->items.size(), 3u);
  EXPECT_EQ(done->items[0].outcome.id, events[0]->id);
  EXPECT_EQ(done->items[0].outcome.seq, 1);
  ASSERT_TRUE(done->items[1].refused);
  EXPECT_EQ(done->items[1].refused->code, ec::row_refused);
  EXPECT_EQ(done->items[2].outcome.seq, 2);
  {
    std::lock_guard guard{a.writer->mutex};
    EXPECT_THAT(a.writer->events,
                ElementsAre(events[0]->event_id, events[2]->event_id));
  }

  // It was chosen, but does not know it, or not any more.
  a.links->set_appender("b");
  const auto left = hand_over(b, {numbered(4)});
  ASSERT_TRUE(left);
  ASSERT_TRUE(left->items[0].refused);
  EXPECT_EQ(left->items[0].refused->code, ec::store_unavailable);
}

TEST_F(mesh_test, WhoAppendsForAnotherMayBeGoneBeforeItIsDone) {
  auto a = std::make_unique<test_node>("a");
  test_node b{"b"};
  meet({a.get(), &b});
  ASSERT_TRUE(linked(*a, b));
  a->links->set_appender("a");
  b.links->set_appender("a");
  a->writer->silent = true;
  std::thread leaves{[&] {
    within(20s, [&] {
      std::lock_guard guard{a->writer->mutex};
      return !a->writer->events.empty();
    });
    a.reset();
  }};
  const auto done = hand_over(b, {numbered(1)});
  leaves.join();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ec::store_unavailable) << done.error().message;
  EXPECT_TRUE(within(5s, [&] { return !b.links->relay(); }));
}

// CAF waits for ever for those who say nothing.
TEST_F(mesh_test, StrangersAtThePortAreEndedAndLinksAreNot) {
  test_node a{"a"}, b{"b", 1, 0, {1s, 2}};
  meet({&a, &b});
  ASSERT_TRUE(linked(a, b));
  const auto falls = a.said(" is down") + b.said(" is down");
  // Each takes longer than the link would have.
  for (int round = 0; round < 3; ++round) {
    const auto silent = testing::plain_socket::connect(b.port());
    EXPECT_TRUE(within(10s, [&] { return silent.ended(); }));
  }
  std::vector<testing::plain_socket> many;
  for (int i = 0; i < 20; ++i)
    many.push_back(testing::plain_socket::connect(b.port()));
  EXPECT_TRUE(within(10s, [&] {
    return std::ranges::all_of(many, &testing::plain_socket::ended);
  }));
  EXPECT_EQ(b.said("did not become a link"), 1);
  EXPECT_EQ(a.said(" is down") + b.said(" is down"), falls);
  a.links->committed(range(1, 1));
  EXPECT_TRUE(within(1s, [&] {
    std::lock_guard guard{b.hub->mutex};
    return b.hub->events.size() == 1;
  }));
}

TEST_F(mesh_test, APeerThatComesBackIsFoundAgain) {
  test_node a{"a"};
  auto b = std::make_unique<test_node>("b");
  meet({&a, b.get()});
  ASSERT_TRUE(within(20s, [&] { return a.link_to("b") == "up"; }));
  const auto port = b->port();
  b.reset();
  ASSERT_TRUE(within(5s, [&] { return a.link_to("b") != "up"; }));
  EXPECT_THAT(a.link_to("b"), HasSubstr("down"));
  b = std::make_unique<test_node>("b", 1, port);
  meet({&a, b.get()});
  ASSERT_TRUE(within(20s, [&] { return a.link_to("b") == "up"; }))
      << a.link_to("b");
  a.links->committed(range(1, 1));
  EXPECT_TRUE(within(1s, [&] {
    std::lock_guard guard{b->hub->mutex};
    return b->hub->events.size() == 1;
  }));
}

/// Ends it by an exception of its own: those of links heed nothing else.
void fail_actor(const caf::actor& who) {
  tell_anon(who,
            local_call{[] { throw std::runtime_error{"a test's crash"}; }});
}

/// With TLS or without.
class gate_of_mesh : public mesh_test,
                     public ::testing::WithParamInterface<bool> {
 protected:
  std::unique_ptr<test_node> node(const std::string& name) const {
    std::optional<transport_files> tls;
    if (GetParam())
      tls = {certificate_.path(), key_.path(), authority_.path()};
    return std::make_unique<test_node>(
        name, uint8_t{1}, uint16_t{0}, port_limits{},
        std::function<bool(const std::string&, uint16_t)>{}, tls);
  }

 private:
  outgoing::testing_support::test_ca ca_;
  outgoing::testing_support::pem_pair pair_ =
      ca_.issue("DNS:localhost,IP:127.0.0.1");
  outgoing::testing_support::temporary_file certificate_{pair_.certificate};
  outgoing::testing_support::temporary_file key_{pair_.key};
  outgoing::testing_support::temporary_file authority_{ca_.certificate()};
};

INSTANTIATE_TEST_SUITE_P(Transports, gate_of_mesh, ::testing::Bool(),
                         [](const auto& with) {
                           return with.param ? "Tls" : "Plain";
                         });

TEST_P(gate_of_mesh, IsMadeAnewAndPublishedAgainWhenItFails) {
  const auto nodes = std::pair{node("a"), node("b")};
  auto &a = *nodes.first, &b = *nodes.second;
  meet({&a, &b});
  ASSERT_TRUE(linked(a, b));
  EXPECT_TRUE(
      within(20s, [&] { return b.state_of("link_gate") == "running"; }));
  for (int times = 1; times <= 2; ++times) {
    caf::actor gate;
    ASSERT_TRUE(within(20s, [&] { return (gate = b.gate()) != nullptr; }));
    fail_actor(gate);
    EXPECT_TRUE(within(20s, [&] { return b.restarts("link_gate") == times; }));
    EXPECT_TRUE(
        within(20s, [&] { return b.state_of("link_gate") == "running"; }));
    EXPECT_EQ(b.said("actor link_gate ended"), times);
    EXPECT_EQ(b.said("actor link_gate restarts"), times);
    // Who is there stays, and whoever comes is taken.
    EXPECT_EQ(a.link_to("b"), "up");
    const auto third = node("a" + std::to_string(times));
    auto& newcomer = *third;
    meet({&a, &b, &newcomer});
    EXPECT_TRUE(within(20s, [&] {
      return newcomer.link_to("b") == "up" && b.link_to("a") == "up";
    })) << newcomer.link_to("b");
  }
  // Also who has a connection of old.
  a.links->set_appender("b");
  ASSERT_TRUE(a.links->relay());
  fail_actor(a.links->relay()->link);
  ASSERT_TRUE(within(20s, [&] { return a.restarts("link") == 1; }));
  EXPECT_TRUE(within(20s, [&] {
    meet({&a, &b});
    return a.link_to("b") == "up" && b.link_to("a") == "up";
  })) << a.link_to("b");
}

TEST_F(mesh_test, WhatLooksForPeersIsMadeAnew) {
  std::atomic<int> looks{0};
  test_node a{"a", 1, 0, {}, [&looks](const std::string&, uint16_t) {
                if (looks++ < 2)
                  throw std::runtime_error{"a test's crash"};
                return true;
              }};
  test_node b{"b"};
  meet({&a, &b});
  ASSERT_TRUE(linked(a, b));
  EXPECT_EQ(a.restarts("link_prober"), 2);
  EXPECT_EQ(a.state_of("link_prober"), "running");
  a.links->committed(range(1, 1));
  EXPECT_TRUE(within(5s, [&] {
    std::lock_guard guard{b.hub->mutex};
    return b.hub->events.size() == 1;
  }));
}

TEST_F(mesh_test, ALinkThatFailsIsMadeAnewFromBothEnds) {
  test_node a{"a"}, b{"b"};
  meet({&a, &b});
  a.links->set_appender("b");
  b.links->set_appender("a");
  seq_t last = 0;
  for (auto* failing : {&a, &b}) {
    ASSERT_TRUE(linked(a, b));
    const auto link = failing->links->relay();
    ASSERT_TRUE(link);
    fail_actor(link->link);
    ASSERT_TRUE(within(20s, [&] { return failing->restarts("link") == 1; }));
    EXPECT_EQ(failing->said("actor link to "), 1);
    EXPECT_TRUE(within(20s, [&] {
      // As with each heartbeat.
      meet({&a, &b});
      const auto next = failing->links->relay();
      return next && next->link != link->link && a.link_to("b") == "up" &&
             b.link_to("a") == "up";
    })) << a.link_to("b");
    ++last;
    a.links->committed(range(last, last));
    EXPECT_TRUE(within(5s, [&] {
      std::lock_guard guard{b.hub->mutex};
      return !b.hub->events.empty() && b.hub->events.back() == last;
    }));
  }
  EXPECT_EQ(a.restarts("link"), 1);
  EXPECT_EQ(b.restarts("link"), 1);
  // Nobody waits for a connection that is not made any more.
  EXPECT_TRUE(within(20s, [&] { return a.links->while_idle([] {}); }));
}

TEST_F(mesh_test, ItsEndIsNoFailure) {
  test_node a{"a"}, b{"b"};
  meet({&a, &b});
  ASSERT_TRUE(linked(a, b));
  b.links->close();
  for (const auto* part : {"link_gate", "link_prober"}) {
    EXPECT_TRUE(within(20s, [&] { return b.state_of(part) == "ended"; }));
    EXPECT_EQ(b.restarts(part), -1);
  }
  EXPECT_EQ(b.restarts("link"), -1);
  EXPECT_EQ(b.said("actor link"), 0);
  EXPECT_TRUE(within(20s, [&] { return b.gate() == nullptr; }))
      << "nothing is published any more";
}

TEST_F(mesh_test, AnotherStoreIsRefusedAndTheOthersStay) {
  test_node a{"a"}, b{"b"}, stranger{"s", 2};
  meet({&a, &b, &stranger});
  ASSERT_TRUE(within(20s, [&] {
    return a.link_to("b") == "up" &&
           a.link_to("s").find("another store") != std::string::npos;
  })) << a.link_to("s");
  EXPECT_THAT(a.link_to("s"), HasSubstr("refused: s says: another store"));
  EXPECT_EQ(a.link_to("b"), "up");
  a.links->committed(range(1, 2));
  EXPECT_TRUE(within(1s, [&] {
    std::lock_guard guard{b.hub->mutex};
    return b.hub->events.size() == 2;
  }));
  {
    std::lock_guard guard{stranger.hub->mutex};
    EXPECT_TRUE(stranger.hub->events.empty());
  }
  // Both sides say why, and not each time that the other one tries.
  EXPECT_TRUE(within(20s, [&] {
    return a.ctx.figures->text().find("eventweft_link_refused_total 2") !=
           std::string::npos;
  }));
  EXPECT_EQ(stranger.said("a link was refused: another store: node a"), 1);
  EXPECT_EQ(a.said("the link to node s is refused"), 1);
}

// Whom TLS turns away has no name yet: it is known only as one that is missing.
TEST_F(mesh_test, APeerThatDoesNotDialIsMissed) {
  test_node b{"b"};
  node_record a;
  a.name = "a";
  a.address = "127.0.0.1:1";
  b.links->see({a, b.record}, 1h);
  EXPECT_THAT(b.link_to("a"), HasSubstr("waiting"));
  EXPECT_THAT(b.ctx.figures->text(),
              HasSubstr("eventweft_link_up{peer=\"a\"} 0"));
  EXPECT_EQ(b.said("node a"), 0);
  EXPECT_TRUE(within(5s, [&] {
    b.links->see({a, b.record}, 20ms);
    return b.said("node a is alive, but makes no link") != 0;
  }));
  b.links->see({a, b.record}, 20ms);
  EXPECT_EQ(b.said("node a"), 1);
  b.links->see({b.record}, 20ms);
  EXPECT_EQ(b.link_to("a"), "none") << "it is gone";
}

TEST_F(mesh_test, FiguresOfOneThatIsAwayStayUntilItHasLeft) {
  test_node b{"b"};
  const auto told = [&b] {
    return b.ctx.figures->text().find("peer=\"a\"") != std::string::npos;
  };
  node_record a;
  a.name = "a";
  a.address = "127.0.0.1:1";
  b.links->see({a, b.record}, 1h);
  EXPECT_TRUE(told());
  a.silent = 2h;
  b.links->see({a, b.record}, 1h);
  EXPECT_THAT(b.ctx.figures->text(),
              HasSubstr("eventweft_link_up{peer=\"a\"} 0"));
  a.state = node_state::left;
  b.links->see({a, b.record}, 1h);
  EXPECT_FALSE(told());
  a.state = node_state::up;
  a.silent = 0ms;
  b.links->see({a, b.record}, 1h);
  EXPECT_TRUE(told()) << "it is back";
  b.links->see({b.record}, 1h);
  EXPECT_FALSE(told()) << "nobody has heard of it for a day";
}

TEST_F(mesh_test, APortThatIsTakenIsSaid) {
  test_node a{"a"};
  test_node b{"b"};
  const auto taken = b.links->listen("127.0.0.1", a.port());
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ec::bad_configuration);
}

TEST(split_address, TakesHostAndPort) {
  using pair = std::pair<std::string, uint16_t>;
  EXPECT_EQ(split_address("h:1"), pair("h", 1));
  EXPECT_EQ(split_address("[::1]:7400"), pair("::1", 7400));
  for (const auto* bad : {"", "h", "h:", ":1", "h:x", "h:70000", "h:1x"})
    EXPECT_FALSE(split_address(bad)) << bad;
}

} // namespace
} // namespace eventweft
