// SPDX-License-Identifier: Apache-2.0
// eventweft_mesh_sim [--nodes N…] [--rate EVENTS] [--readers R] [--size BYTES]:
// a cluster in one process and in virtual time, made of the real hubs and the
// real link channels; the network is a queue, the database a log in memory.
// What it measures is the processor's time per event and the bytes on the
// wire; from these, where a mesh of so many nodes ends. docs/scaling.md is
// about what comes out.
#include "actors/cluster/link_channel.hpp"
#include "actors/directory.hpp"
#include "actors/storage_reader.hpp"
#include "actors/store_worker.hpp"
#include "actors/stream_hub.hpp"
#include "tests/support/memory_store.hpp"

#include <CLI/CLI.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <fmt/format.h>
#include <time.h>

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace eventweft;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

double cpu_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

/// Readers as far as the hub sees them: counts what each would be sent.
class counting_lane final : public live_lane {
 public:
  std::map<group_id, uint64_t> readers;
  uint64_t messages = 0;
  uint64_t events = 0;
  seq_t last = 0;
  bool in_order = true;
  uint64_t joining = 1;

  void publish(lane_batch batch, std::function<void()> done) override {
    in_order = in_order && batch.first == last + 1;
    last = batch.last;
    for (const auto& [group, range] : batch.groups) {
      events += range->events.size();
      messages += range->events.size() * readers[group];
    }
    done();
  }
  void join(reader_id, uint32_t, group_id group, log_range backlog) override {
    readers[group] += joining;
    last = backlog.last;
  }
  void page(reader_id, uint32_t, log_range) override {}
  void end(reader_id, reader_end, std::string) override {}
};

struct parcel {
  nanoseconds due{0};
  size_t from = 0;
  size_t to = 0;
  std::string bytes;
};

struct outcome {
  uint64_t events = 0;
  uint64_t bytes_per_node = 0;
  double link_cpu = 0;
  double hub_cpu = 0;
  uint64_t messages = 0;
  bool whole = true;
};

struct wishes {
  uint64_t rate = 50'000;
  uint64_t readers = 1'000'000;
  uint64_t size = 500;
  /// How many different filters, each of which sees its part of the events.
  uint64_t filters = 100;
  std::chrono::milliseconds length{40};
};

class simulation {
 public:
  simulation(size_t nodes, const wishes& w)
      : wishes_(w),
        system_(config_),
        scheduler_(dynamic_cast<caf::scheduler::test_coordinator&>(
            system_.scheduler())) {
    for (size_t i = 0; i < nodes; ++i)
      nodes_.push_back(std::make_unique<node>(*this, i));
    for (auto& n : nodes_)
      n->open(nodes);
    run();
    while (!wire_.empty())
      step(1ms);
    for (auto& n : nodes_)
      n->read(w.readers / nodes);
    run();
  }

  ~simulation() {
    for (auto& n : nodes_)
      n->close();
    do
      run();
    while (scheduler_.trigger_timeout());
  }

  outcome measure() {
    outcome out;
    link_cpu_ = hub_cpu_ = 0;
    sent_ = 0;
    const auto per_step = wishes_.rate / 1'000;
    size_t turn = 0;
    for (auto t = 0ms; t < wishes_.length; t += 1ms) {
      commit(*nodes_[turn++ % nodes_.size()], per_step);
      step(1ms);
    }
    for (int i = 0; i < 50; ++i)
      step(1ms);
    out.events = static_cast<uint64_t>(log_->head());
    out.bytes_per_node = sent_ / nodes_.size();
    out.link_cpu = link_cpu_;
    out.hub_cpu = hub_cpu_;
    for (const auto& n : nodes_) {
      out.messages += n->lane->messages;
      out.whole =
          out.whole && n->lane->in_order && n->lane->last == log_->head();
    }
    return out;
  }

 private:
  struct end final : link::channel_port {
    end(simulation& s, size_t from, size_t to) : sim(s), me(from), peer(to) {}
    void send(std::string bytes) override {
      sim.sent_ += bytes.size();
      sim.wire_.push_back({sim.now_ + 500us, me, peer, std::move(bytes)});
    }
    void up(const link::hello&, uint32_t) override {}
    void down(const std::string& why, bool) override {
      fmt::print(stderr, "a link is down: {}\n", why);
      std::exit(1);
    }
    void take(log_range_ptr range) override {
      caf::anon_send(sim.nodes_[me]->ctx.peers->hub.get(), committed_atom_v,
                     std::move(range));
    }
    void reaches(seq_t head) override {
      caf::anon_send(sim.nodes_[me]->ctx.peers->hub.get(), poll_atom_v, head);
    }
    void changed(const control_event&) override {}
    void replied(link::reply_item) override {}
    void asked(link::append_item) override {}
    void answered(link::appended_item) override {}
    void lost() override {}
    void interested(bool) override {}
    void round_trip(nanoseconds) override {}
    void skipped(size_t) override {}

    simulation& sim;
    size_t me;
    size_t peer;
    std::unique_ptr<link::channel> channel;
  };

  struct node {
    node(simulation& s, size_t number) : sim(s), index(number) {
      ctx.peers = std::make_shared<directory>();
      ctx.status = std::make_shared<status_board>();
      ctx.figures = std::make_shared<metrics>();
      ctx.log = null_logger();
      ctx.time = s.time_;
      ctx.random = std::make_shared<seeded_random>(number + 1);
    }

    static std::string name(size_t i) { return fmt::format("node-{:03}", i); }

    void open(size_t count) {
      ctx.peers->read_workers.set(
          0, spawn_store_worker(
                 sim.system_,
                 std::make_unique<eventweft::testing::memory_session>(sim.log_),
                 worker_thread::shared));
      storage_reader_options options;
      options.workers = 1;
      ctx.peers->reader.set(spawn_storage_reader(sim.system_, ctx, options));
      ctx.peers->hub.set(
          spawn_stream_hub(sim.system_, ctx, {}, make_live_lanes()));
      ends.resize(count);
      for (size_t peer = 0; peer < count; ++peer) {
        if (peer == index)
          continue;
        link::channel_options o;
        o.me.node = name(index);
        o.me.store = uuid{{1}};
        if (index < peer)
          o.peer = name(peer);
        ends[peer] = std::make_unique<end>(sim, index, peer);
        ends[peer]->channel = std::make_unique<link::channel>(
            o, sim.identity_, *ends[peer],
            std::string(link::nonce_bytes, static_cast<char>('a' + index % 26)),
            sim.now_);
      }
      for (auto& e : ends)
        if (e)
          e->channel->start();
    }

    void read(uint64_t readers) {
      for (uint64_t f = 0; f < sim.wishes_.filters; ++f) {
        join_request r;
        r.subscription = f + 1;
        r.reader = f + 1;
        r.lane = lane;
        r.own_filter.source_ids = {std::to_string(f)};
        lane->joining = readers / sim.wishes_.filters;
        caf::anon_send(ctx.peers->hub.get(), join_atom_v, std::move(r));
        sim.run();
      }
    }

    void close() {
      for (auto h :
           {caf::actor_cast<caf::actor>(ctx.peers->hub.get()),
            caf::actor_cast<caf::actor>(ctx.peers->reader.get()),
            caf::actor_cast<caf::actor>(ctx.peers->read_workers.at(0))})
        caf::anon_send_exit(h, caf::exit_reason::kill);
      ctx.peers->clear();
    }

    simulation& sim;
    size_t index;
    actor_context ctx;
    std::shared_ptr<counting_lane> lane = std::make_shared<counting_lane>();
    std::vector<std::unique_ptr<end>> ends;
  };

  struct testing_config : caf::actor_system_config {
    testing_config() { set("caf.scheduler.policy", "testing"); }
  };

  void run() {
    const auto start = cpu_seconds();
    while (scheduler_.try_run_once())
      ;
    hub_cpu_ += cpu_seconds() - start;
  }

  void commit(node& by, uint64_t count) {
    log_range range{log_->head() + 1, 0, {}};
    for (uint64_t i = 0; i < count; ++i) {
      auto e = eventweft::testing::make_event(++numbers_, "github", "push",
                                              wishes_.size);
      e.source_id =
          std::to_string(static_cast<uint64_t>(numbers_) % wishes_.filters);
      e.seq = log_->add(e);
      range.last = e.seq;
      range.events.emplace_back(std::move(e));
    }
    const auto shared = std::make_shared<const log_range>(std::move(range));
    caf::anon_send(by.ctx.peers->hub.get(), committed_atom_v, shared);
    const auto start = cpu_seconds();
    for (auto& e : by.ends)
      if (e)
        e->channel->send(*shared);
    link_cpu_ += cpu_seconds() - start;
  }

  void step(nanoseconds by) {
    now_ += by;
    time_->advance(std::chrono::duration_cast<std::chrono::milliseconds>(by));
    scheduler_.advance_time(by);
    const auto start = cpu_seconds();
    while (!wire_.empty() && wire_.front().due <= now_) {
      auto p = std::move(wire_.front());
      wire_.pop_front();
      nodes_[p.to]->ends[p.from]->channel->receive(p.bytes, now_);
    }
    if (now_ % 100ms < by)
      for (auto& n : nodes_)
        for (auto& e : n->ends)
          if (e)
            e->channel->tick(now_, n->lane->last);
    link_cpu_ += cpu_seconds() - start;
    run();
  }

  wishes wishes_;
  nanoseconds now_{1h};
  std::shared_ptr<manual_clock> time_ =
      std::make_shared<manual_clock>(timestamp{1'800'000'000s});
  link::no_identity identity_;
  std::shared_ptr<eventweft::testing::memory_log> log_ =
      std::make_shared<eventweft::testing::memory_log>();
  testing_config config_;
  caf::actor_system system_;
  caf::scheduler::test_coordinator& scheduler_;
  std::deque<parcel> wire_;
  uint64_t sent_ = 0;
  int numbers_ = 0;
  double link_cpu_ = 0;
  double hub_cpu_ = 0;
  std::vector<std::unique_ptr<node>> nodes_;
};

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"A cluster in virtual time: where a mesh ends."};
  wishes w;
  std::vector<size_t> sizes{1, 3, 10, 30, 100};
  app.add_option("--nodes", sizes)->delimiter(',');
  app.add_option("--rate", w.rate, "events a second in the whole cluster");
  app.add_option("--readers", w.readers, "in the whole cluster");
  app.add_option("--filters", w.filters, "different filters of the readers");
  app.add_option("--size", w.size, "bytes of payload");
  CLI11_PARSE(app, argc, argv);
  init_message_types();
  fmt::print("{} events/s of {} bytes, {} readers with {} filters\n\n", w.rate,
             w.size, w.readers, w.filters);
  fmt::print("{:>6} {:>14} {:>14} {:>14} {:>14} {:>16}\n", "nodes",
             "link us/event", "hub us/event", "cores a node", "MB/s a node",
             "messages/s a node");
  bool whole = true;
  for (const auto n : sizes) {
    simulation s{n, w};
    const auto out = s.measure();
    whole = whole && out.whole;
    const auto nodes = static_cast<double>(n);
    const auto events = static_cast<double>(out.events);
    const auto seconds = static_cast<double>(w.length.count()) / 1e3;
    // All nodes ran in this one process.
    const auto link = out.link_cpu / nodes / events * 1e6;
    const auto hub = out.hub_cpu / nodes / events * 1e6;
    fmt::print("{:>6} {:>14.2f} {:>14.2f} {:>14.2f} {:>14.1f} {:>16.0f}{}\n", n,
               link, hub, (link + hub) * static_cast<double>(w.rate) / 1e6,
               static_cast<double>(out.bytes_per_node) / seconds / 1e6,
               static_cast<double>(out.messages) / nodes / seconds,
               out.whole ? "" : "  NOT IN ORDER");
  }
  return whole ? 0 : 1;
}
