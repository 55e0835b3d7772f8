// SPDX-License-Identifier: Apache-2.0
#include "telemetry/metrics_state.hpp"

#include <array>
#include <string>

namespace eventweft {

namespace {

constexpr std::array<const char*, stage_count> stage_names = {
    "verify_and_parse", "queue", "commit", "publish", "ingest", "correlate"};

const char* name_of(reader_kind kind) {
  switch (kind) {
  case reader_kind::websocket:
    return "websocket";
  case reader_kind::sse:
    return "sse";
  case reader_kind::webhook:
    return "webhook";
  case reader_kind::internal:
    return "internal";
  }
  return "internal";
}

} // namespace

metrics::state::state() {
  for (size_t i = 0; i < stage_count; ++i)
    stage[i] = &stages.Add({{"stage", stage_names[i]}}, duration_buckets);
  for (size_t i = 0; i < lane_wait.size(); ++i)
    lane_wait[i] = &lane_waits.Add(
        {{"lane", std::string{to_string(static_cast<priority>(i))}}},
        duration_buckets);
}

metrics::metrics() : state_(std::make_unique<state>()) {
  // nop
}

metrics::~metrics() = default;

void metrics::event_received(std::string_view platform) {
  ++state_->n_received;
  state_->received.at(platform).Increment();
}

void metrics::event_stored(std::string_view platform,
                           std::string_view event_type) {
  ++state_->n_stored;
  state_->stored.at(platform, event_type).Increment();
}

void metrics::event_duplicate(std::string_view platform,
                              std::string_view event_type) {
  ++state_->n_duplicates;
  state_->duplicates.at(platform, event_type).Increment();
}

void metrics::event_spooled(std::string_view platform,
                            std::string_view event_type) {
  ++state_->n_spooled;
  state_->spooled.at(platform, event_type).Increment();
}

void metrics::event_failed(std::string_view platform, ec reason) {
  ++state_->n_failed;
  state_->failed.at(platform, to_string(reason)).Increment();
}

void metrics::stage_took(eventweft::stage s, std::chrono::nanoseconds d) {
  state_->stage[static_cast<size_t>(s)]->Observe(
      std::chrono::duration<double>(d).count());
}

void metrics::connection_opened() {
  state_->connections.Increment();
  state_->connections_total.Increment();
}

void metrics::connection_closed() {
  state_->connections.Decrement();
}

void metrics::connection_refused() {
  state_->connections_refused.Increment();
}

void metrics::http_answered(int status) {
  state_->answers.at(std::to_string(status)).Increment();
}

void metrics::access_refused(std::string_view reason) {
  state_->refused.at(reason).Increment();
}

void metrics::tls_handshake(bool worked) {
  state_->handshakes.at(worked ? "worked" : "failed").Increment();
}

void metrics::set_ingest_in_flight(size_t n) {
  state_->in_flight.Set(static_cast<double>(n));
}

void metrics::set_writer_queue(size_t events) {
  state_->writer_queue.Set(static_cast<double>(events));
}

void metrics::set_reader_queue(size_t requests) {
  state_->reader_queue.Set(static_cast<double>(requests));
}

void metrics::set_spool(size_t events, size_t bytes) {
  state_->spool_events.Set(static_cast<double>(events));
  state_->spool_bytes.Set(static_cast<double>(bytes));
}

size_t metrics::spooled() const {
  return static_cast<size_t>(state_->spool_events.Value());
}

size_t metrics::unanswered() const {
  return static_cast<size_t>(state_->in_flight.Value() +
                             state_->writer_queue.Value());
}

void metrics::batch_committed(size_t events, size_t bytes) {
  state_->batches.Increment();
  state_->batch_bytes.Increment(static_cast<double>(bytes));
  state_->batch_events.Observe(static_cast<double>(events));
}

void metrics::store_failed() {
  state_->store_failures.Increment();
}

void metrics::set_store_up(bool up) {
  state_->store_up.Set(up ? 1 : 0);
}

void metrics::reader_opened(std::string_view stream, reader_kind kind) {
  state_->readers.at(stream, name_of(kind)).Increment();
  auto& totals = state_->totals(stream);
  ++totals.active;
  if (kind == reader_kind::webhook)
    ++totals.webhooks;
  ++totals.opened;
}

void metrics::reader_closed(std::string_view stream, reader_kind kind) {
  state_->readers.at(stream, name_of(kind)).Decrement();
  auto& totals = state_->totals(stream);
  --totals.active;
  if (kind == reader_kind::webhook)
    --totals.webhooks;
}

void metrics::events_sent(std::string_view stream, size_t events, size_t bytes,
                          seq_t last) {
  state_->sent.at(stream).Increment(static_cast<double>(events));
  state_->sent_bytes.at(stream).Increment(static_cast<double>(bytes));
  auto& totals = state_->totals(stream);
  totals.sent += events;
  totals.bytes += bytes;
  auto seen = totals.last_seq.load();
  while (last > seen && !totals.last_seq.compare_exchange_weak(seen, last))
    ;
}

void metrics::events_matched(std::string_view stream, size_t events) {
  state_->matched.at(stream).Increment(static_cast<double>(events));
  state_->totals(stream).matched += events;
}

void metrics::delivery_ended(std::string_view stream, std::string_view outcome,
                             std::chrono::nanoseconds d) {
  state_->deliveries.at(stream, outcome).Increment();
  state_->delivery_seconds.Observe(std::chrono::duration<double>(d).count());
  if (outcome != "delivered")
    ++state_->totals(stream).errors;
}

void metrics::set_deliveries(std::string_view stream, size_t waiting,
                             size_t under_way, int64_t lag_events,
                             double lag_seconds) {
  state_->deliveries_waiting.at(stream).Set(static_cast<double>(waiting));
  state_->deliveries_under_way.at(stream).Set(static_cast<double>(under_way));
  state_->lag_events.at(stream).Set(static_cast<double>(lag_events));
  state_->lag_seconds.at(stream).Set(lag_seconds);
  auto& totals = state_->totals(stream);
  totals.lag_events = lag_events;
  totals.lag_seconds = lag_seconds;
}

void metrics::breaker_opened(std::string_view stream) {
  state_->breakers.at(stream).Increment();
}

void metrics::reader_lagged(std::string_view stream) {
  state_->lagged.at(stream).Increment();
  ++state_->totals(stream).lagged;
}

void metrics::reader_ended(std::string_view stream, std::string_view why) {
  state_->ended.at(stream, why).Increment();
}

void metrics::message_compressed(size_t before, size_t after) {
  state_->uncompressed.Increment(static_cast<double>(before));
  state_->compressed.Increment(static_cast<double>(after));
}

void metrics::catch_up_page(std::string_view stream, size_t events) {
  state_->caught_up.at(stream).Increment(static_cast<double>(events));
  state_->totals(stream).caught_up += events;
}

void metrics::set_head(seq_t seq) {
  auto& head = state_->head_seq;
  auto known = head.load(std::memory_order_relaxed);
  while (known < seq &&
         !head.compare_exchange_weak(known, seq, std::memory_order_relaxed)) {
  }
  state_->head.Set(static_cast<double>(head.load(std::memory_order_relaxed)));
}

seq_t metrics::head() const noexcept {
  return state_->head_seq.load(std::memory_order_relaxed);
}

void metrics::filters_tried(size_t n) {
  if (n != 0)
    state_->filters_tried.Increment(static_cast<double>(n));
}

void metrics::hub_gap_filled(size_t events) {
  state_->gaps.Increment(static_cast<double>(events));
}

void metrics::set_cluster_members(size_t alive) {
  state_->members.Set(static_cast<double>(alive));
}

void metrics::set_leases_held(size_t n) {
  state_->leases.Set(static_cast<double>(n));
}

void metrics::lease_taken(std::string_view kind) {
  state_->takeovers.at(kind).Increment();
}

void metrics::set_link(std::string_view peer, bool up) {
  state_->link_up.change([up](auto& x) { x.Set(up ? 1 : 0); }, peer);
}

void metrics::link_round_trip(std::string_view peer,
                              std::chrono::nanoseconds d) {
  state_->link_rtt.change([seconds = std::chrono::duration<double>(d).count()](
                              auto& x) { x.Set(seconds); },
                          peer);
}

void metrics::link_sent(std::string_view peer, size_t bytes) {
  state_->link_out.change(
      [bytes](auto& x) { x.Increment(static_cast<double>(bytes)); }, peer);
}

void metrics::link_received(std::string_view peer, size_t bytes) {
  state_->link_in.change(
      [bytes](auto& x) { x.Increment(static_cast<double>(bytes)); }, peer);
}

void metrics::link_skipped(std::string_view peer, size_t events) {
  state_->link_behind.change(
      [events](auto& x) { x.Increment(static_cast<double>(events)); }, peer);
}

void metrics::link_relayed(std::string_view peer, bool out, size_t events) {
  (out ? state_->relayed_out : state_->relayed_in)
      .change([events](auto& x) { x.Increment(static_cast<double>(events)); },
              peer);
}

void metrics::forget_peer(std::string_view peer) {
  state_->relayed_out.remove(peer);
  state_->relayed_in.remove(peer);
  state_->link_up.remove(peer);
  state_->link_rtt.remove(peer);
  state_->link_out.remove(peer);
  state_->link_in.remove(peer);
  state_->link_behind.remove(peer);
}

void metrics::link_refused() {
  state_->link_refusals.Increment();
}

void metrics::events_joined(size_t linked, size_t started, size_t merged,
                            size_t hot_keys) {
  auto& s = *state_;
  if (linked > 0)
    s.linked.Increment(static_cast<double>(linked));
  if (started > 0)
    s.threads.Increment(static_cast<double>(started));
  if (merged > 0)
    s.merges.Increment(static_cast<double>(merged));
  if (hot_keys > 0)
    s.hot_keys.Increment(static_cast<double>(hot_keys));
}

void metrics::keys_looked_up(const key_lookups& x) {
  auto& s = *state_;
  const auto count = [&s](std::string_view in, uint64_t n) {
    if (n > 0)
      s.lookups.at(in).Increment(static_cast<double>(n));
  };
  count("memory", x.known);
  count("store", x.read);
  count("nowhere", x.assumed);
  s.known_rows.Set(static_cast<double>(x.rows));
}

void metrics::rule_failed(std::string_view rule, bool disabled) {
  state_->rule_failures.at(rule).Increment();
  if (disabled)
    state_->rules_disabled.Increment();
}

void metrics::rules_disabled(size_t now) {
  state_->rules_disabled.Set(static_cast<double>(now));
}

void metrics::stored_rules(size_t in_force, size_t changes) {
  state_->stored_rules.Set(static_cast<double>(in_force));
  if (changes > 0)
    state_->rule_changes.Increment(static_cast<double>(changes));
}

void metrics::set_vocabulary(size_t facts) {
  state_->vocabulary.Set(static_cast<double>(facts));
}

void metrics::attempt_ended(std::string_view processor, std::string_view result,
                            std::chrono::nanoseconds took) {
  auto& s = *state_;
  s.attempts.at(processor, result).Increment();
  s.attempt_times.Add({{"processor", std::string{processor}}}, duration_buckets)
      .Observe(std::chrono::duration<double>(took).count());
  auto& total = result == "completed"   ? s.n_completed
                : result == "retried"   ? s.n_retried
                : result == "timed_out" ? s.n_timed_out
                                        : s.n_given_up;
  ++total;
}

void metrics::job_waited(priority lane, std::chrono::nanoseconds d) {
  state_->lane_wait[static_cast<size_t>(lane)]->Observe(
      std::chrono::duration<double>(d).count());
}

void metrics::set_lane(priority lane, size_t jobs) {
  state_->lane_depth.at(to_string(lane)).Set(static_cast<double>(jobs));
  state_->lane_now[static_cast<size_t>(lane)] = static_cast<int64_t>(jobs);
}

void metrics::set_processor(std::string_view name, size_t ready, size_t running,
                            size_t waiting) {
  auto& jobs = state_->processor_jobs;
  jobs.at(name, "ready").Set(static_cast<double>(ready));
  jobs.at(name, "running").Set(static_cast<double>(running));
  jobs.at(name, "waiting").Set(static_cast<double>(waiting));
}

void metrics::set_workers(size_t idle, size_t busy, size_t lost) {
  state_->workers.at("idle").Set(static_cast<double>(idle));
  state_->workers.at("busy").Set(static_cast<double>(busy));
  state_->workers.at("lost").Set(static_cast<double>(lost));
}

void metrics::answer_awaited(std::string_view platform,
                             std::string_view result) {
  state_->answers_awaited.at(platform, result).Increment();
}

void metrics::actor_restarted(std::string_view actor) {
  state_->restarts.at(actor).Increment();
}

void metrics::dead_letter_added(std::string_view origin) {
  state_->dead_letters.at(origin).Increment();
}

void metrics::dead_letter_lost(std::string_view origin) {
  state_->dead_letters_lost.at(origin).Increment();
}

} // namespace eventweft
