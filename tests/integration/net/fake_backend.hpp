// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "codec/filter.hpp"
#include "fake_rules.hpp"
#include "fake_subscriptions.hpp"
#include "net/backend.hpp"
#include "net/ports/processing.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace eventweft::net {

/// A backend with a log in memory and a hub of a few lines. Thread-safe.
class fake_backend final : public backend, public processing_port {
 public:
  // -- to be set before the server starts ------------------------------------

  /// What `accept` does; the default answers 200 with the body's size.
  std::function<void(webhook, reply_to<webhook_answer>)> on_webhook;
  /// What `present_filter` does; the default answers with what it is asked.
  std::function<void(filter, reply_to<filter>)> on_present_filter;
  /// What was forced on whoever asked for the last.
  filter present_filter_forced;
  /// Readers that are further behind get pages instead of joining.
  size_t ring_events = 100;
  size_t page_events = 50;
  /// No reader is told anything, as if the store were away.
  bool silent = false;
  std::string ready_state = "ok";
  std::vector<dead_letter> letters;
  /// Threads that are part of others by now.
  std::map<uuid, uuid> merged;
  /// Null: everybody may do everything.
  access_port* access_ = nullptr;
  fake_subscriptions subscriptions_;
  fake_rules rules_;
  bool reads_keys = true;

  // -- for the test ----------------------------------------------------------

  /// Appends events, one batch for all, and publishes them.
  void commit(std::vector<event> events);
  /// `n` events of `type`, each with `payload_bytes` in its payload.
  void commit(size_t n, const std::string& type = "push",
              size_t payload_bytes = 10);
  seq_t head() const;
  size_t pages() const;
  /// How often a reader was made live.
  size_t joins() const;
  size_t readers() const;
  /// How often a reader changed its filter.
  size_t filter_changes() const;
  /// Ends all readers.
  void end_readers(reader_end why, const std::string& message);
  /// Waits until `condition` holds, at most ten seconds.
  bool wait(const std::function<bool()>& condition) const;
  /// True once all published batches are in all outboxes.
  bool settled() const;

  // -- backend ---------------------------------------------------------------

  bool knows_platform(std::string_view name) const override;
  std::string challenge(std::string_view platform) const override {
    return platform == "github" ? "Signature realm=\"eventweft/github\"" : "";
  }
  void accept(webhook w, reply_to<webhook_answer> reply) override;
  void query(event_query q, reply_to<event_page> reply) override;
  void find(uuid id, reply_to<std::optional<event_ptr>> reply) override;
  void present_threads(std::vector<uuid> ids,
                       reply_to<std::vector<uuid>> reply) override;
  void present_filter(filter f, const filter& forced,
                      reply_to<filter> reply) override;
  void open_reader(reader_request request,
                   reply_to<std::shared_ptr<reader_control>> reply) override;
  processing_port* processing() override { return this; }
  void drop_processor(std::string name, reply<uint64_t> r) override;
  void processors(
      reply<std::vector<eventweft::processing::processor_state>> r) override;
  void dead_letters(dead_letter_query q,
                    reply<std::vector<dead_letter>> r) override;
  void retry_dead_letter(uuid id, reply<bool> r) override;
  void drop_dead_letter(uuid id, reply<bool> r) override;
  void retry_dead_letters(dead_letter_query q, double rate,
                          reply<dead_letter_retry> r) override;
  void retry_progress(reply<dead_letter_retry> r) override;
  void stop_retry(reply<dead_letter_retry> r) override;
  void drop_dead_letters(dead_letter_query q, reply<uint64_t> r) override;
  access_port* access() override { return access_; }
  subscriptions_port* subscriptions() override { return &subscriptions_; }
  rules_port* rules() override { return reads_keys ? &rules_ : nullptr; }
  readiness ready() const override;
  std::string metrics_json() const override;
  std::string metrics_text() const override;

  /// The last query that was asked.
  event_query last_query() const;

 private:
  class control;
  struct open_subscription {
    reader_request request;
    filter stream_filter;
    codec::compiled_filter compiled;
  };

  void next(reader_id id, uint32_t epoch, seq_t cursor);
  void change_filter(reader_id id, filter f);
  void leave(reader_id id);
  group_id group_of(const codec::compiled_filter& f);

  mutable std::mutex mutex_;
  std::vector<event_ptr> log_;
  std::map<reader_id, open_subscription> open_;
  std::map<std::string, std::pair<group_id, codec::compiled_filter>> groups_;
  /// By address: a lane stays known once it was seen.
  std::map<live_lane*, live_lane_ptr> lanes_;
  event_query last_query_;
  size_t pages_ = 0;
  size_t joins_ = 0;
  size_t filter_changes_ = 0;
  std::atomic<size_t> unsettled_ = 0;
  uint64_t made_ = 0;
  dead_letter_retry retry_;
};

} // namespace eventweft::net
