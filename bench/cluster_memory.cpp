// SPDX-License-Identifier: Apache-2.0
#include "bench/cluster.hpp"
#include "bench/nodes.hpp"
#include "bench/poster.hpp"
#include "bench/receiver.hpp"
#include "bench/streams.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

namespace eventweft::bench {

namespace {

using namespace std::chrono_literals;

/// So that the machine is not what is measured.
constexpr double events_a_second = 300;
constexpr unsigned readers_at_once = 20;
constexpr unsigned hooks_at_once = 2;
constexpr std::string_view hooks_path =
    "/api/v1/streams/all_events/subscriptions";

/// Every other reader has a filter of its own, which hardly any event matches.
std::string own_filter(unsigned reader) {
  return reader % 2 == 0
             ? std::string{}
             : "?filter=%7B%22custom_filters%22:%7B%22payload.n%22:%22" +
                   tag_text(reader) + "%22%7D%7D";
}

/// Webhooks at a steady rate to the nodes at `to`, and readers that come there
/// and go, on two threads, until it ends.
class traffic {
 public:
  explicit traffic(std::vector<stream_target> to)
      : to_(std::move(to)),
        posts_(start([this] { post(); })),
        readers_(start([this] { read(); })) {}

  /// Ends it; throws what went wrong.
  void finish() {
    // Readers first, while there are still events for them.
    readers_ = {};
    posts_ = {};
    check();
  }

  /// Throws what went wrong so far.
  void check() {
    std::lock_guard guard{mutex_};
    if (failure_)
      std::rethrow_exception(failure_);
  }

  uint64_t posted() const noexcept { return posted_; }
  uint64_t readers() const noexcept { return gone_; }

 private:
  template <class Work>
  std::jthread start(Work work) {
    return std::jthread{[this, work](const std::stop_token& stop) {
      try {
        while (!stop.stop_requested())
          work();
      } catch (...) {
        std::lock_guard guard{mutex_};
        if (!failure_)
          failure_ = std::current_exception();
      }
    }};
  }

  void post() {
    // Half a second's: what is asked to end has to come back.
    constexpr uint64_t slice = 150;
    post_options options{.to = to_.front().address,
                         .connections = 8,
                         .count = slice,
                         .rate = events_a_second};
    for (size_t i = 1; i < to_.size(); ++i)
      options.others.push_back(to_[i].address);
    post_all(options, [this](uint64_t n, std::string& request) {
      request += to_.front().request(posted_ + n);
    });
    posted_ += slice;
  }

  void read() {
    const auto& target = to_[turn_ % to_.size()];
    const auto kind =
        turn_ / to_.size() % 2 == 0 ? stream_kind::websocket : stream_kind::sse;
    ++turn_;
    reader_swarm swarm{{target.address, target.path(kind), kind,
                        readers_at_once, false, own_filter},
                       nullptr};
    constexpr uint64_t events_each = 60;
    if (!swarm.wait_delivered(events_each * readers_at_once / 2, 20))
      throw bench_error("readers get no events");
    gone_ += readers_at_once;
  }

  const std::vector<stream_target> to_;
  size_t turn_ = 0;
  std::atomic<uint64_t> posted_ = 0;
  std::atomic<uint64_t> gone_ = 0;
  std::mutex mutex_;
  std::exception_ptr failure_;
  std::jthread posts_;
  std::jthread readers_;
};

std::vector<std::string> add_hooks(const hub& node, const receiver& there) {
  poster manager{node.address()};
  std::vector<std::string> ids;
  for (unsigned n = 0; n < hooks_at_once; ++n) {
    const auto made = manager.post(
        api_request("POST", hooks_path,
                    fmt::format(R"({{"url":"http://127.0.0.1:{}/{}"}})",
                                there.address().port, n)));
    ids.emplace_back(boost::json::parse(made).at("id").as_string());
  }
  return ids;
}

void remove_hooks(const hub& node, const std::vector<std::string>& ids) {
  poster manager{node.address()};
  for (const auto& id : ids)
    manager.post(api_request("DELETE", fmt::format("{}/{}", hooks_path, id)));
}

/// The last node leaves, with readers at it and work of its own, and is back.
void leave_and_rejoin(node_group& nodes, const receiver& there) {
  const auto last = nodes.size() - 1;
  const auto hooks = add_hooks(nodes[0], there);
  {
    const auto target = target_of(nodes[last], 0);
    reader_swarm swarm{{target.address, target.websocket_path,
                        stream_kind::websocket, readers_at_once, false},
                       nullptr};
    constexpr uint64_t events_each = 50;
    if (!swarm.wait_delivered(events_each * readers_at_once, 20))
      throw bench_error("readers of the node that leaves get no events");
    nodes.leave(last);
  }
  nodes.rejoin(last);
  const auto before = there.count();
  if (!there.wait(before + 50, 30))
    throw bench_error("subscriptions get no events");
  remove_hooks(nodes[1], hooks);
}

double middle_of(std::vector<double> xs) {
  std::sort(xs.begin(), xs.end());
  return xs[xs.size() / 2];
}

/// Of each node, in MiB.
using node_sizes = std::vector<double>;

/// The median of what is seen in a second.
node_sizes sizes_of(const node_group& nodes) {
  constexpr int looks = 5;
  std::vector<node_sizes> seen(nodes.size());
  for (int look = 0; look < looks; ++look) {
    std::this_thread::sleep_for(200ms);
    for (size_t i = 0; i < nodes.size(); ++i)
      seen[i].push_back(static_cast<double>(resident_bytes(nodes[i].pid())) /
                        (1u << 20));
  }
  node_sizes out;
  for (auto& of_node : seen)
    out.push_back(middle_of(std::move(of_node)));
  return out;
}

/// The median of the node `i` in the rounds from `first` to `last`.
double middle_round(const std::vector<node_sizes>& rounds, size_t i,
                    size_t first, size_t last) {
  std::vector<double> of_node;
  for (auto round = first; round <= last; ++round)
    of_node.push_back(rounds[round][i]);
  return middle_of(std::move(of_node));
}

void tell(size_t round, const node_sizes& of_nodes) {
  std::string line = fmt::format("cluster, memory after {} rounds", round);
  for (size_t i = 0; i < of_nodes.size(); ++i)
    line += fmt::format("{} {} {:.1f} MiB", i == 0 ? ":" : ",",
                        node_group::name_of(i), of_nodes[i]);
  progress(line);
}

/// Before the first round and after each.
std::vector<node_sizes> churn_nodes(node_group& nodes, size_t rounds) {
  const receiver there;
  std::vector<node_sizes> seen;
  seen.push_back(sizes_of(nodes));
  tell(0, seen.back());
  // The nodes that stay take the webhooks.
  traffic busy{{target_of(nodes[0], 1), target_of(nodes[1], 1)}};
  for (size_t round = 1; round <= rounds; ++round) {
    leave_and_rejoin(nodes, there);
    seen.push_back(sizes_of(nodes));
    tell(round, seen.back());
    busy.check();
  }
  busy.finish();
  progress(fmt::format("cluster: {} webhooks; {} readers came and went",
                       busy.posted(), busy.readers()));
  return seen;
}

} // namespace

void measure_cluster_memory(const setting& s, engine& e, report& out) {
  const auto rounds = static_cast<size_t>(s.scaled(10, 6));
  const auto url = e.fresh();
  e.settle();
  // A small ring is full, and grows no more, after the first rounds.
  node_group nodes{s,
                   url,
                   cluster_nodes,
                   {{"EVENTWEFT_WEBHOOKS_ALLOW_PRIVATE_NETWORKS", "true"},
                    {"EVENTWEFT_STREAMING_RING_EVENTS", "1000"}}};
  const auto seen = churn_nodes(nodes, rounds);
  nodes.stop();
  e.drop(url);
  for (size_t i = 0; i < cluster_nodes; ++i) {
    const auto name = node_group::name_of(i);
    const bool stays = i + 1 < cluster_nodes;
    out.figure(cluster_part, name + ", RSS before the churn", seen[0][i],
               "MiB");
    // What leaks does so in every round.
    out.cost(cluster_part,
             fmt::format("{}, RSS after {} rounds{}", name, rounds,
                         stays ? "" : ", started anew in each"),
             middle_round(seen, i, rounds - 2, rounds), "MiB",
             "after 3 to 5 rounds", middle_round(seen, i, 3, 5),
             stays ? std::optional{0.9} : std::nullopt);
  }
}

} // namespace eventweft::bench
