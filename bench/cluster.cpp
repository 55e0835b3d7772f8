// SPDX-License-Identifier: Apache-2.0
#include "bench/cluster.hpp"

#include "bench/ingest.hpp"
#include "bench/latency.hpp"
#include "bench/nodes.hpp"
#include "bench/parts.hpp"
#include "bench/pg.hpp"

#include <fmt/format.h>

#include <array>

namespace eventweft::bench {

namespace {

/// What one node does, and what three do.
template <class Result>
struct alone_and_together {
  Result alone;
  Result together;
  Result& of(bool cluster) { return cluster ? together : alone; }
};

/// Throws unless the log has `count` webhooks, beside what the hub says itself:
/// what is answered but spooled would be taken for stored.
void expect_stored(const std::string& url, uint64_t count) {
  const auto stored =
      std::stoull(pg_connection{url}.value("SELECT count(*) FROM events "
                                           "WHERE platform <> 'eventweft'"));
  if (stored != count)
    throw bench_error(fmt::format("{} of {} events are stored", stored, count));
}

// Where the database is the limit, and not what the nodes share with it.
constexpr double little_database = 0.4;

struct ingest_case {
  uint32_t senders = few_senders;
  /// Whether the database has only `little_database` cores.
  bool held = false;
};

std::string name_of(const ingest_case& c) {
  auto name = fmt::format("ingest, {} connections", c.senders);
  if (c.held)
    name += fmt::format(", PostgreSQL with {} of a core", little_database);
  return name;
}

void measure_cluster_ingest(const setting& s, engine& e, report& out,
                            const ingest_case& c) {
  const auto what = name_of(c);
  const auto held = c.held ? e.hold(little_database) : nullptr;
  if (c.held && !held) {
    progress("cluster, " + what +
             ": there is no control group to hold it with");
    return;
  }
  const auto examples = load_examples(s.examples);
  const auto count = s.scaled(12'000, 4'000);
  // Nodes that have just started find out who appends for all.
  const auto warm_up = count / 3;
  alone_and_together<ingest_result> total;
  for (uint32_t round = 1; round <= turns; ++round)
    for (const bool cluster : {false, true}) {
      const auto url = e.fresh();
      e.settle();
      const ingest_load load{examples, count, round, c.senders, warm_up};
      ingest_result result;
      if (cluster) {
        node_group nodes{s, url, cluster_nodes};
        result = ingest_at(nodes.all(), e, load);
        nodes.stop();
      } else {
        result = ingest(s, e, url, load);
      }
      expect_stored(url, warm_up + count);
      e.drop(url);
      add_to(total.of(cluster), result);
      progress(fmt::format("cluster, {}, {}: {:.0f} events/s, p50 {:.1f} ms",
                           what, cluster ? "three nodes" : "one node",
                           result.posts.per_second(),
                           result.posts.latency.quantile_ms(0.5)));
    }
  const auto& [alone, together] = total;
  out.rate(cluster_part, what + ", three nodes", together.posts.per_second(),
           "events/s", "one node", alone.posts.per_second(), 0.9);
  out.cost(cluster_part, what + ", time to the answer, p50",
           together.posts.latency.quantile_ms(0.5), "ms", "one node",
           alone.posts.latency.quantile_ms(0.5));
  out.cost(cluster_part, what + ", CPU of the nodes together",
           together.us_per_event(together.server_cpu), "µs/event", "one node",
           alone.us_per_event(alone.server_cpu));
  out.cost(cluster_part, what + ", CPU of the engine",
           together.us_per_event(together.engine_cpu), "µs/event", "one node",
           alone.us_per_event(alone.engine_cpu));
}

void measure_cluster_latency(const setting& s, engine& e, report& out) {
  const auto count = s.scaled(2'500, 500);
  alone_and_together<histogram> delivery;
  for (int round = 1; round <= 2; ++round)
    for (const bool cluster : {false, true}) {
      const auto url = e.fresh();
      e.settle();
      latency_result seen;
      if (cluster) {
        node_group nodes{s, url, cluster_nodes};
        seen = measure_paced(target_of(nodes[0], 1), nodes[1].address(), count);
        nodes.stop();
      } else {
        hub server{s, "latency", url};
        seen = measure_paced(target_of(server, 1), server.address(), count);
        server.stop();
      }
      e.drop(url);
      delivery.of(cluster).add(seen.delivery);
      progress(fmt::format("cluster, {}: POST to WebSocket p50 {:.2f} ms",
                           cluster ? "from node to node" : "one node",
                           seen.delivery.quantile_ms(0.5)));
    }
  const std::string what = "POST at one node to WebSocket at another, 500/s, ";
  const auto p50 = delivery.together.quantile_ms(0.5);
  out.figure(cluster_part, what + "p50", p50, "ms", 3);
  out.cost(cluster_part, what + "p50", p50, "ms", "one node",
           delivery.alone.quantile_ms(0.5));
  out.cost(cluster_part, what + "p99", delivery.together.quantile_ms(0.99),
           "ms", "one node", delivery.alone.quantile_ms(0.99));
}

} // namespace

void measure_cluster(const setting& s, report& out) {
  const auto e = make_postgres(s);
  for (const ingest_case& c :
       {ingest_case{few_senders}, {many_senders}, {many_senders, true}})
    measure_cluster_ingest(s, *e, out, c);
  measure_cluster_latency(s, *e, out);
  measure_cluster_memory(s, *e, out);
}

} // namespace eventweft::bench
