// SPDX-License-Identifier: Apache-2.0
#include "telemetry/metrics.hpp"

#include <boost/json.hpp>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <shared_mutex>

namespace eventweft {

namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using labels = std::map<std::string, std::string>;

// Senders choose event types; a hostile one must not fill the memory.
constexpr size_t max_series = 500;

constexpr std::array<const char*, stage_count> stage_names = {
    "verify_and_parse", "queue", "commit", "publish", "ingest", "correlate"};

const prometheus::Histogram::BucketBoundaries duration_buckets = {
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
    0.025,   0.05,   0.1,     0.25,   0.5,   1,      2.5,   5};

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

// The members of one family by their label values, found without a lock that
// writers would wait for, and limited in number.
template <class T>
class series {
 public:
  series(prometheus::Registry& registry, const char* name, const char* help,
         std::vector<std::string> keys)
      : family_(make(registry, name, help)), keys_(std::move(keys)) {
    // nop
  }

  template <class... Values>
  T& at(const Values&... values) {
    std::string key;
    ((key.append(std::string_view{values}).push_back('\0')), ...);
    {
      std::shared_lock guard{mutex_};
      if (auto i = members_.find(key); i != members_.end())
        return *i->second;
    }
    std::unique_lock guard{mutex_};
    if (auto i = members_.find(key); i != members_.end())
      return *i->second;
    const bool full = members_.size() >= max_series;
    labels pairs;
    size_t n = 0;
    ((pairs.emplace(keys_[n++], full ? "other" : std::string{values})), ...);
    T& made = family_.Add(pairs);
    // Past the limit nothing more is remembered: `Add` finds "other" again.
    if (!full)
      members_.emplace(std::move(key), &made);
    return made;
  }

 private:
  static Family<T>& make(prometheus::Registry& registry, const char* name,
                         const char* help) {
    if constexpr (std::is_same_v<T, Counter>)
      return prometheus::BuildCounter().Name(name).Help(help).Register(
          registry);
    else
      return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
  }

  Family<T>& family_;
  std::vector<std::string> keys_;
  std::shared_mutex mutex_;
  std::map<std::string, T*, std::less<>> members_;
};

Counter& counter(prometheus::Registry& r, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(r).Add({});
}

Gauge& gauge(prometheus::Registry& r, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(r).Add({});
}

// What `/api/v1/metrics` says of one stream.
struct stream_totals {
  std::atomic<int64_t> active{0}, webhooks{0};
  std::atomic<uint64_t> opened{0}, sent{0}, bytes{0}, lagged{0}, caught_up{0};
  std::atomic<uint64_t> matched{0}, errors{0};
  std::atomic<int64_t> lag_events{0}, last_seq{0};
  std::atomic<double> lag_seconds{0};
};

} // namespace

struct metrics::state {
  prometheus::Registry registry;

  series<Counter> received{registry,
                           "eventweft_events_received_total",
                           "Webhooks and submitted events that came in",
                           {"platform"}};
  series<Counter> stored{registry,
                         "eventweft_events_stored_total",
                         "Events that are new in the log",
                         {"platform", "event_type"}};
  series<Counter> duplicates{registry,
                             "eventweft_events_duplicate_total",
                             "Redeliveries of events already stored",
                             {"platform"}};
  series<Counter> spooled{registry,
                          "eventweft_events_spooled_total",
                          "Events taken into the spool",
                          {"platform"}};
  series<Counter> failed{registry,
                         "eventweft_events_failed_total",
                         "Webhooks answered with an error",
                         {"platform", "reason"}};
  Family<Histogram>& stages =
      prometheus::BuildHistogram()
          .Name("eventweft_stage_seconds")
          .Help("Time that each stage of an event's way takes")
          .Register(registry);
  std::array<Histogram*, stage_count> stage{};

  Gauge& connections = gauge(registry, "eventweft_http_connections",
                             "Open connections of every kind");
  Counter& connections_total = counter(
      registry, "eventweft_http_connections_total", "Connections accepted");
  Counter& connections_refused =
      counter(registry, "eventweft_http_connections_refused_total",
              "Connections beyond server.max_connections");
  series<Counter> answers{registry,
                          "eventweft_http_answers_total",
                          "HTTP answers by status",
                          {"status"}};
  series<Counter> refused{registry,
                          "eventweft_access_refused_total",
                          "Requests turned away at the door",
                          {"reason"}};
  series<Counter> handshakes{registry,
                             "eventweft_tls_handshakes_total",
                             "TLS handshakes of the server",
                             {"outcome"}};

  Gauge& in_flight = gauge(registry, "eventweft_ingest_in_flight",
                           "Webhooks between request and answer");
  Gauge& writer_queue = gauge(registry, "eventweft_writer_queue_events",
                              "Events that wait for the next transaction");
  Gauge& reader_queue = gauge(registry, "eventweft_reader_queue_requests",
                              "Reads that wait for a store session");
  Gauge& spool_events =
      gauge(registry, "eventweft_spool_events", "Events in the spool");
  Gauge& spool_bytes =
      gauge(registry, "eventweft_spool_bytes", "Bytes in the spool");
  Counter& batches = counter(registry, "eventweft_store_batches_total",
                             "Transactions that appended events");
  Counter& batch_bytes = counter(registry, "eventweft_store_bytes_total",
                                 "Bytes of events that were committed");
  Histogram& batch_events =
      prometheus::BuildHistogram()
          .Name("eventweft_store_batch_events")
          .Help("Events in one transaction")
          .Register(registry)
          .Add({}, Histogram::BucketBoundaries{1, 2, 4, 8, 16, 32, 64, 128, 256,
                                               512, 1024});
  Counter& store_failures = counter(registry, "eventweft_store_failures_total",
                                    "Calls that the store did not answer");
  Gauge& store_up =
      gauge(registry, "eventweft_store_up", "1 while the store answers");

  series<Gauge> readers{registry,
                        "eventweft_stream_readers",
                        "Open subscriptions",
                        {"stream", "kind"}};
  series<Counter> sent{registry,
                       "eventweft_stream_events_sent_total",
                       "Events handed to readers",
                       {"stream"}};
  series<Counter> sent_bytes{registry,
                             "eventweft_stream_bytes_sent_total",
                             "Bytes of events handed to readers",
                             {"stream"}};
  series<Counter> lagged{registry,
                         "eventweft_stream_readers_lagged_total",
                         "Times a slow reader left live mode",
                         {"stream"}};
  series<Counter> ended{registry,
                        "eventweft_stream_readers_ended_total",
                        "Readers that the server ended",
                        {"stream", "reason"}};
  Counter& uncompressed =
      counter(registry, "eventweft_stream_compression_input_bytes_total",
              "Bytes of messages before permessage-deflate, once a message");
  Counter& compressed =
      counter(registry, "eventweft_stream_compression_output_bytes_total",
              "Bytes of messages after permessage-deflate, once a message");
  series<Counter> caught_up{registry,
                            "eventweft_stream_catch_up_events_total",
                            "Events read from the store for readers",
                            {"stream"}};
  series<Counter> matched{
      registry,
      "eventweft_subscription_events_matched_total",
      "Events that subscriptions took up or readers were handed",
      {"stream"}};
  series<Counter> deliveries{registry,
                             "eventweft_delivery_attempts_total",
                             "Attempts to deliver to a subscription",
                             {"stream", "outcome"}};
  Histogram& delivery_seconds =
      prometheus::BuildHistogram()
          .Name("eventweft_delivery_seconds")
          .Help("Time from a request to the end of its answer")
          .Register(registry)
          .Add({}, duration_buckets);
  series<Gauge> deliveries_waiting{registry,
                                   "eventweft_deliveries_waiting",
                                   "Events taken up that wait for an attempt",
                                   {"stream"}};
  series<Gauge> deliveries_under_way{registry,
                                     "eventweft_deliveries_under_way",
                                     "Requests without an answer yet",
                                     {"stream"}};
  series<Gauge> lag_events{registry,
                           "eventweft_subscription_lag_events",
                           "Events the slowest subscription is behind",
                           {"stream"}};
  series<Gauge> lag_seconds{registry,
                            "eventweft_subscription_lag_seconds",
                            "Age of the oldest event not delivered",
                            {"stream"}};
  series<Counter> breakers{registry,
                           "eventweft_delivery_breakers_opened_total",
                           "Times an endpoint was found down",
                           {"stream"}};
  std::atomic<seq_t> head_seq{0};
  Gauge& head = gauge(registry, "eventweft_log_head_seq",
                      "The last seq that was published");
  Counter& gaps = counter(registry, "eventweft_hub_gap_events_total",
                          "Events the hub had to read from the store");

  Counter& linked =
      counter(registry, "eventweft_correlation_events_linked_total",
              "Events that got a thread");
  Counter& threads =
      counter(registry, "eventweft_correlation_threads_started_total",
              "Threads that were not there before");
  Counter& merges = counter(registry, "eventweft_correlation_merges_total",
                            "Threads that were joined to others");
  Counter& hot_keys = counter(registry, "eventweft_correlation_hot_keys_total",
                              "Correlation keys that reached their limit");
  series<Counter> rule_failures{registry,
                                "eventweft_correlation_rule_failures_total",
                                "Times a correlation rule threw",
                                {"rule"}};
  Gauge& rules_disabled =
      gauge(registry, "eventweft_correlation_rules_disabled",
            "Correlation rules that are out of use after repeated failures");
  Gauge& vocabulary =
      gauge(registry, "eventweft_correlation_vocabulary_facts",
            "Facts that the rules know without asking the store");

  series<Counter> attempts{registry,
                           "eventweft_processor_attempts_total",
                           "Attempts of handlers by how they ended",
                           {"processor", "result"}};
  Family<Histogram>& attempt_times =
      prometheus::BuildHistogram()
          .Name("eventweft_processor_seconds")
          .Help("Time that handlers take for one attempt")
          .Register(registry);
  Family<Histogram>& lane_waits =
      prometheus::BuildHistogram()
          .Name("eventweft_lane_wait_seconds")
          .Help("Time from being ready to run to running, by priority")
          .Register(registry);
  std::array<Histogram*, 4> lane_wait{};
  series<Gauge> lane_depth{registry,
                           "eventweft_lane_jobs",
                           "Events that wait for a worker, by priority",
                           {"lane"}};
  series<Gauge> processor_jobs{registry,
                               "eventweft_processor_events",
                               "Events that a processor has in hand",
                               {"processor", "state"}};
  series<Gauge> workers{registry,
                        "eventweft_processing_workers",
                        "Worker threads; lost ones hang in a handler",
                        {"state"}};
  series<Counter> answers_awaited{registry,
                                  "eventweft_answers_total",
                                  "Webhook answers that waited for a handler",
                                  {"platform", "result"}};
  std::atomic<uint64_t> n_completed{0}, n_retried{0}, n_given_up{0},
      n_timed_out{0};
  std::array<std::atomic<int64_t>, 4> lane_now{};

  series<Counter> restarts{registry,
                           "eventweft_actor_restarts_total",
                           "Actors started anew after a failure",
                           {"actor"}};
  series<Counter> dead_letters{registry,
                               "eventweft_dead_letters_total",
                               "Items given up on",
                               {"origin"}};

  Gauge& members = gauge(registry, "eventweft_cluster_members",
                         "Nodes that are alive, this one included");
  Gauge& leases = gauge(registry, "eventweft_cluster_leases",
                        "Pieces of work that this node owns");
  series<Counter> takeovers{registry,
                            "eventweft_cluster_takeovers_total",
                            "Pieces of work that became this node's",
                            {"kind"}};
  series<Gauge> link_up{registry,
                        "eventweft_link_up",
                        "1 while the link to the peer stands",
                        {"peer"}};
  series<Gauge> link_rtt{registry,
                         "eventweft_link_round_trip_seconds",
                         "Latest round trip to the peer",
                         {"peer"}};
  series<Counter> link_out{registry,
                           "eventweft_link_sent_bytes_total",
                           "Bytes sent to the peer",
                           {"peer"}};
  series<Counter> link_in{registry,
                          "eventweft_link_received_bytes_total",
                          "Bytes received from the peer",
                          {"peer"}};
  series<Counter> link_behind{registry,
                              "eventweft_link_skipped_events_total",
                              "Events a slow peer has to read from the store",
                              {"peer"}};
  Counter& link_refusals =
      counter(registry, "eventweft_link_refused_total",
              "Links refused, by this node or by its peer");

  // The totals that the JSON form tells.
  std::atomic<uint64_t> n_received{0}, n_stored{0}, n_duplicates{0},
      n_failed{0}, n_spooled{0};
  mutable std::mutex streams_mutex;
  std::map<std::string, stream_totals, std::less<>> streams;

  state() {
    for (size_t i = 0; i < stage_count; ++i)
      stage[i] = &stages.Add({{"stage", stage_names[i]}}, duration_buckets);
    for (size_t i = 0; i < lane_wait.size(); ++i)
      lane_wait[i] = &lane_waits.Add(
          {{"lane", std::string{to_string(static_cast<priority>(i))}}},
          duration_buckets);
  }

  // Streams are made by operators, not by senders: their number is theirs.
  stream_totals& totals(std::string_view stream) {
    std::lock_guard guard{streams_mutex};
    if (auto i = streams.find(stream); i != streams.end())
      return i->second;
    return streams[std::string{stream}];
  }
};

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

void metrics::event_duplicate(std::string_view platform) {
  ++state_->n_duplicates;
  state_->duplicates.at(platform).Increment();
}

void metrics::event_spooled(std::string_view platform) {
  ++state_->n_spooled;
  state_->spooled.at(platform).Increment();
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

metrics::stream_figures metrics::of_stream(std::string_view stream) const {
  std::lock_guard guard{state_->streams_mutex};
  auto i = state_->streams.find(stream);
  if (i == state_->streams.end())
    return {};
  const auto& t = i->second;
  return {t.active, t.webhooks,   t.sent,        t.matched,
          t.errors, t.lag_events, t.lag_seconds, t.last_seq};
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
  state_->head.Set(static_cast<double>(seq));
  state_->head_seq.store(seq, std::memory_order_relaxed);
}

seq_t metrics::head() const noexcept {
  return state_->head_seq.load(std::memory_order_relaxed);
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
  state_->link_up.at(peer).Set(up ? 1 : 0);
}

void metrics::link_round_trip(std::string_view peer,
                              std::chrono::nanoseconds d) {
  state_->link_rtt.at(peer).Set(std::chrono::duration<double>(d).count());
}

void metrics::link_sent(std::string_view peer, size_t bytes) {
  state_->link_out.at(peer).Increment(static_cast<double>(bytes));
}

void metrics::link_received(std::string_view peer, size_t bytes) {
  state_->link_in.at(peer).Increment(static_cast<double>(bytes));
}

void metrics::link_skipped(std::string_view peer, size_t events) {
  state_->link_behind.at(peer).Increment(static_cast<double>(events));
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

void metrics::rule_failed(std::string_view rule, bool disabled) {
  state_->rule_failures.at(rule).Increment();
  if (disabled)
    state_->rules_disabled.Increment();
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

std::string metrics::text() const {
  return prometheus::TextSerializer{}.Serialize(state_->registry.Collect());
}

std::string metrics::json(std::span<const std::string> streams) const {
  const auto& s = *state_;
  const auto count = [](const Gauge& g) {
    return static_cast<int64_t>(g.Value());
  };
  const auto told = [](const stream_totals& t) {
    return boost::json::object{
        {"active_subscriptions", t.active.load()},
        {"total_subscriptions", t.opened.load()},
        {"events_sent", t.sent.load()},
        {"bytes_sent", t.bytes.load()},
        {"readers_lagged", t.lagged.load()},
        {"catch_up_events", t.caught_up.load()},
        {"events_matched", t.matched.load()},
        {"delivery_errors", t.errors.load()},
        {"lag_events", t.lag_events.load()},
        {"lag_seconds", t.lag_seconds.load()},
        {"last_seq", t.last_seq.load()},
    };
  };
  boost::json::object streaming;
  for (const auto& name : streams)
    streaming[name] = told(stream_totals{});
  {
    std::lock_guard guard{s.streams_mutex};
    for (const auto& [name, t] : s.streams)
      streaming[name] = told(t);
  }
  const boost::json::value out = {
      {"processing",
       {{"events_received", s.n_received.load()},
        {"events_processed", s.n_stored.load()},
        {"events_failed", s.n_failed.load()},
        {"events_duplicates", s.n_duplicates.load()},
        {"events_spooled", s.n_spooled.load()},
        {"head_seq", count(s.head)}}},
      {"queue",
       {{"in_flight", count(s.in_flight)},
        {"writer", count(s.writer_queue)},
        {"reader", count(s.reader_queue)},
        {"spool_events", count(s.spool_events)},
        {"spool_bytes", count(s.spool_bytes)},
        {"store_up", count(s.store_up) != 0}}},
      {"streaming", std::move(streaming)},
      {"processors",
       {{"completed", s.n_completed.load()},
        {"retried", s.n_retried.load()},
        {"failed", s.n_given_up.load()},
        {"timed_out", s.n_timed_out.load()},
        {"lanes",
         {{"critical", s.lane_now[3].load()},
          {"high", s.lane_now[2].load()},
          {"normal", s.lane_now[1].load()},
          {"low", s.lane_now[0].load()}}},
        {"shares", {{"critical", 8}, {"high", 4}, {"normal", 2}, {"low", 1}}}}},
  };
  return boost::json::serialize(out);
}

} // namespace eventweft
