// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "telemetry/metrics.hpp"
#include "telemetry/series.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace eventweft {

/// What `/api/v1/metrics` says of one stream.
struct stream_totals {
  std::atomic<int64_t> active{0}, webhooks{0};
  std::atomic<uint64_t> opened{0}, sent{0}, bytes{0}, lagged{0}, caught_up{0};
  std::atomic<uint64_t> matched{0}, errors{0};
  std::atomic<int64_t> lag_events{0}, last_seq{0};
  std::atomic<double> lag_seconds{0};
};

/// The inside of `metrics`, which its own sources include and nobody else:
/// every series that there is, by name.
struct metrics::state {
  using Counter = prometheus::Counter;
  using Gauge = prometheus::Gauge;
  using Histogram = prometheus::Histogram;
  template <class T>
  using Family = prometheus::Family<T>;

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
                             {"platform", "event_type"}};
  series<Counter> spooled{registry,
                          "eventweft_events_spooled_total",
                          "Events taken into the spool",
                          {"platform", "event_type"}};
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
  Counter& filters_tried = counter(registry, "eventweft_filters_tried_total",
                                   "Filters tried on events for readers");
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
  series<Counter> lookups{registry,
                          "eventweft_correlation_key_lookups_total",
                          "Correlation keys by where the store's writer "
                          "looked for them",
                          {"in"}};
  Gauge& known_rows =
      gauge(registry, "eventweft_correlation_known_rows",
            "Rows of threads that the store's writer has in memory");
  series<Counter> rule_failures{registry,
                                "eventweft_correlation_rule_failures_total",
                                "Times a correlation rule threw",
                                {"rule"}};
  Gauge& rules_disabled =
      gauge(registry, "eventweft_correlation_rules_disabled",
            "Correlation rules that are out of use after repeated failures");
  Gauge& stored_rules =
      gauge(registry, "eventweft_correlation_stored_rules",
            "Correlation rules of the store that are in force here");
  Counter& rule_changes =
      counter(registry, "eventweft_correlation_rule_changes_total",
              "Times a correlation rule of the store came, changed or went");
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
  series<Counter> dead_letters_lost{registry,
                                    "eventweft_dead_letters_lost_total",
                                    "Dead letters that a store in memory had "
                                    "no room for",
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
  series<Counter> relayed_out{registry,
                              "eventweft_link_relayed_events_total",
                              "Events of this node that the peer appended",
                              {"peer"}};
  series<Counter> relayed_in{registry,
                             "eventweft_link_appended_events_total",
                             "Events of the peer that this node appended",
                             {"peer"}};
  Counter& link_refusals =
      counter(registry, "eventweft_link_refused_total",
              "Links refused, by this node or by its peer");

  // The totals that the JSON form tells.
  std::atomic<uint64_t> n_received{0}, n_stored{0}, n_duplicates{0},
      n_failed{0}, n_spooled{0};
  mutable std::mutex streams_mutex;
  std::map<std::string, stream_totals, std::less<>> streams;

  state();

  // Streams are made by operators, not by senders: their number is theirs.
  stream_totals& totals(std::string_view stream) {
    std::lock_guard guard{streams_mutex};
    if (auto i = streams.find(stream); i != streams.end())
      return i->second;
    return streams[std::string{stream}];
  }
};

} // namespace eventweft
