// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bench/report.hpp"
#include "bench/servers.hpp"

/// The measurements. Each brings up what it needs and leaves nothing behind.
namespace eventweft::bench {

/// Signed webhooks against the engine's own bulk load of the same rows.
void measure_ingest(const setting& s, report& out);

/// The store's appends by themselves, one session, against the same limit.
void measure_store(const setting& s, report& out);

/// Signed webhooks with many events already stored against an empty store.
void measure_growth(const setting& s, report& out);

/// What finding threads costs, and whether it costs more as they grow.
void measure_correlation(const setting& s, report& out);

/// Questions and retention with ten million events stored, on PostgreSQL; with
/// their plans.
void measure_large(const setting& s, report& out);

/// One event to 1,000 readers, against nginx with nchan.
void measure_fanout(const setting& s, report& out);

/// One event and as many different filters as readers, against one filter.
void measure_filters(const setting& s, report& out);

/// From POST to WebSocket with the commit in between.
void measure_latency(const setting& s, report& out);

/// Reading the stored log, against the engine's own scan of the same rows.
void measure_catchup(const setting& s, report& out);

/// Memory of a reader that waits.
void measure_idle(const setting& s, report& out);

/// Handlers: what an idle one costs ingest on PostgreSQL, how long urgent
/// events wait behind a backlog, and npm's probot with the same handler.
void measure_processing(const setting& s, report& out);

/// Several nodes on one PostgreSQL against one of them: ingest, live latency
/// from node to node, and whether memory grows as a node comes and goes.
void measure_cluster(const setting& s, report& out);

/// Webhooks out to 100 endpoints, against a client that only sends.
void measure_webhooks(const setting& s, report& out);

/// Codec, crypto and filter by themselves.
void measure_micro(const setting& s, report& out);

} // namespace eventweft::bench
