// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/flow.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace eventweft {

/// The stages whose duration is measured, each a label of
/// `eventweft_stage_seconds`.
enum class stage : uint8_t {
  verify_and_parse, ///< in a platform worker
  queue,            ///< waiting in the storage writer
  commit,           ///< the store's transaction
  publish,          ///< from commit to the last lane having it
  ingest,           ///< from the request's last byte to its answer
  correlate,        ///< reading correlation keys, in a platform worker
};
inline constexpr size_t stage_count = 6;

enum class reader_kind : uint8_t { websocket, sse, webhook, internal };

/// All figures of one process, as Prometheus knows them
/// (`eventweft_…`, listed in docs/operate.md) and as `/api/v1/metrics` tells
/// them. One object, made by the app and handed to whoever counts. Every call
/// is thread-safe and cheap; label values that senders can choose are limited
/// in number (the rest counts as "other").
class metrics {
 public:
  metrics();
  ~metrics();
  metrics(const metrics&) = delete;
  metrics& operator=(const metrics&) = delete;

  // -- ingest ----------------------------------------------------------------
  void event_received(std::string_view platform);
  void event_stored(std::string_view platform, std::string_view event_type);
  void event_duplicate(std::string_view platform, std::string_view event_type);
  void event_spooled(std::string_view platform, std::string_view event_type);
  /// A webhook that was answered with an error.
  void event_failed(std::string_view platform, ec reason);
  void stage_took(stage s, std::chrono::nanoseconds d);

  // -- http ------------------------------------------------------------------
  void connection_opened();
  void connection_closed();
  void connection_refused();
  void http_answered(int status);
  /// A request that was turned away at the door: "missing", "invalid",
  /// "ticket", "expired", "scope", "origin", "rate" or "unknown".
  void access_refused(std::string_view reason);
  void tls_handshake(bool worked);

  // -- queues ----------------------------------------------------------------
  void set_ingest_in_flight(size_t n);
  void set_writer_queue(size_t events);
  void set_reader_queue(size_t requests);
  void set_spool(size_t events, size_t bytes);
  /// Events in the spool, as it was set last.
  size_t spooled() const;
  /// Webhooks and events that are not answered for yet, as they were set last.
  size_t unanswered() const;
  void batch_committed(size_t events, size_t bytes);
  void store_failed();
  /// 1 while the store answers.
  void set_store_up(bool up);

  // -- streaming -------------------------------------------------------------
  void reader_opened(std::string_view stream, reader_kind kind);
  void reader_closed(std::string_view stream, reader_kind kind);
  /// `last`: the newest of them.
  void events_sent(std::string_view stream, size_t events, size_t bytes,
                   seq_t last = 0);
  void reader_lagged(std::string_view stream);
  /// The server ended it; `why` is one of a few names.
  void reader_ended(std::string_view stream, std::string_view why);
  /// One message, for all its readers: its size before and after.
  void message_compressed(size_t before, size_t after);
  void catch_up_page(std::string_view stream, size_t events);
  /// Filters that were tried on events for readers.
  void filters_tried(size_t n);
  /// The log reaches at least so far.
  void set_head(seq_t seq);
  /// The highest that was set: how far the log is known to reach.
  seq_t head() const noexcept;
  /// A hole in what the hub was told that it filled from the store.
  void hub_gap_filled(size_t events);

  // -- threads ---------------------------------------------------------------
  /// What one append did: events that got a thread, threads that were not
  /// there before, threads that were joined, keys that reached their limit.
  void events_joined(size_t linked, size_t started, size_t merged,
                     size_t hot_keys);
  void keys_looked_up(const key_lookups& lookups);
  /// A correlation rule threw; `disabled`: for the last time.
  void rule_failed(std::string_view rule, bool disabled);
  /// How many are out of use by now, in place of what `rule_failed` counted.
  void rules_disabled(size_t now);
  /// The store's rules were read: `in_force` of them are, `changes` came, went
  /// or are others than before.
  void stored_rules(size_t in_force, size_t changes);
  /// Facts that the rules know without asking the store.
  void set_vocabulary(size_t facts);

  // -- processors ------------------------------------------------------------
  /// `result` is "completed", "retried", "failed" (given up) or "timed_out".
  void attempt_ended(std::string_view processor, std::string_view result,
                     std::chrono::nanoseconds took);
  /// What a job waited in its lane until a worker took it.
  void job_waited(priority lane, std::chrono::nanoseconds d);
  void set_lane(priority lane, size_t jobs);
  void set_processor(std::string_view name, size_t ready, size_t running,
                     size_t waiting);
  /// `lost`: those whose handler has hung past its time.
  void set_workers(size_t idle, size_t busy, size_t lost);
  /// Webhook answers that waited for a handler: "replied", "late", "silent".
  void answer_awaited(std::string_view platform, std::string_view result);

  // -- webhooks --------------------------------------------------------------
  /// Events that subscriptions of a stream took up.
  void events_matched(std::string_view stream, size_t events);
  /// An attempt ended: "delivered", "failed", "throttled", "gone".
  void delivery_ended(std::string_view stream, std::string_view outcome,
                      std::chrono::nanoseconds d);
  /// Of all subscriptions of a stream together; the lag is the longest.
  void set_deliveries(std::string_view stream, size_t waiting, size_t under_way,
                      int64_t lag_events, double lag_seconds);
  /// An endpoint's breaker opened.
  void breaker_opened(std::string_view stream);

  // -- the whole -------------------------------------------------------------
  void actor_restarted(std::string_view actor);
  void dead_letter_added(std::string_view origin);
  /// It had to make room for newer ones.
  void dead_letter_lost(std::string_view origin);

  // -- several nodes ---------------------------------------------------------
  void set_cluster_members(size_t alive);
  void set_leases_held(size_t n);
  /// Work of that kind ("processor", "subscription", …) became this node's.
  void lease_taken(std::string_view kind);
  void set_link(std::string_view peer, bool up);
  void link_round_trip(std::string_view peer, std::chrono::nanoseconds d);
  void link_sent(std::string_view peer, size_t bytes);
  void link_received(std::string_view peer, size_t bytes);
  /// Events that a peer was not sent since it took too little: it reads them
  /// from the store.
  void link_skipped(std::string_view peer, size_t events);
  /// Events that the peer appended for this node (`out`), or this node for it.
  void link_relayed(std::string_view peer, bool out, size_t events);
  /// The peer has left for good: nothing of its link is told any more.
  void forget_peer(std::string_view peer);
  void link_refused();

  /// What `json` says of one stream.
  struct stream_figures {
    int64_t active = 0;
    /// Of them: those that outlive a connection.
    int64_t webhooks = 0;
    uint64_t sent = 0;
    uint64_t matched = 0;
    uint64_t errors = 0;
    int64_t lag_events = 0;
    double lag_seconds = 0;
    seq_t last_seq = 0;
  };
  stream_figures of_stream(std::string_view stream) const;

  /// Prometheus' text format.
  std::string text() const;
  /// `{"processing":{…},"queue":{…},"streaming":{…}}`
  /// `streams` has every stream there is: those that nobody has read yet are
  /// told as well, with zeros.
  std::string json(std::span<const std::string> streams = {}) const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace eventweft
