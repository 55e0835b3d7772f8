// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/filter.hpp"
#include "messages/live.hpp"
#include "messages/webhook.hpp"
#include "net/ports/actors.hpp"
#include "net/ports/threads.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace eventweft::net {

/// The state of one part for `/readyz`.
struct part_state {
  std::string name;
  /// "ok", "degraded" or "down".
  std::string state;
  std::string detail;
};

struct readiness {
  /// "ok", "degraded" (works, with less than all parts) or "down".
  std::string state = "ok";
  std::vector<part_state> parts;
};

class cluster_port;
class processing_port;
class rules_port;
class subscriptions_port;

class access_port;

/// What the HTTP server needs from the rest of the program; the program
/// implements it with messages to actors, tests with a few lines. Every call
/// is thread-safe and returns at once.
class backend {
 public:
  virtual ~backend() = default;

  /// The `{platform}`s whose webhooks are taken; others get 404.
  virtual bool knows_platform(std::string_view name) const = 0;

  /// What asks senders for the proof that a platform wants, for
  /// `WWW-Authenticate`; empty: the server's own credentials will do.
  virtual std::string challenge(std::string_view /*platform*/) const {
    return {};
  }

  /// Answered once what the webhook brought is durable, or with the reason
  /// why it is not.
  virtual void accept(webhook w, reply_to<webhook_answer> reply) = 0;

  virtual void query(event_query q, reply_to<event_page> reply) = 0;

  virtual void find(uuid id, reply_to<std::optional<event_ptr>> reply) = 0;

  /// The threads that these are part of by now, in order; each its own where
  /// it was not merged.
  virtual void present_threads(std::vector<uuid> ids,
                               reply_to<std::vector<uuid>> reply) {
    reply(std::move(ids));
  }

  /// The filter as a reader gets it: what is among its `correlation_ids`, keys
  /// and former ids, is the threads that they lead to now. `unprocessable` for
  /// a key that leads to none yet; but whoever sees only what is `forced` on
  /// them, if that is not empty, must not learn which keys there are: a key
  /// that leads to none, or to one by events that they don't see, matches
  /// nothing then.
  virtual void present_filter(eventweft::filter f,
                              const eventweft::filter& /*forced*/,
                              reply_to<eventweft::filter> reply) {
    reply(std::move(f));
  }

  /// Opens a subscription. `not_found` when it is sure that there is no such
  /// stream. The
  /// reader starts with `control->next(epoch, -1)`, and if it asked for what
  /// is new, sees whatever is acknowledged after the reply.
  virtual void open_reader(reader_request request,
                           reply_to<std::shared_ptr<reader_control>> reply) = 0;

  /// Handlers and dead letters; null where there are none.
  virtual processing_port* processing() { return nullptr; }

  /// Threads; null where the store has none.
  virtual threads_port* threads() { return nullptr; }
  /// Who may do what; null: everybody may do everything.
  virtual access_port* access() { return nullptr; }

  /// Streams and subscriptions as rows; null if there are none.
  virtual subscriptions_port* subscriptions() { return nullptr; }

  /// Correlation rules; null where no keys are read.
  virtual rules_port* rules() { return nullptr; }

  virtual readiness ready() const = 0;

  /// Null where nothing is told of these.
  virtual actors_port* actors() { return nullptr; }

  /// The body of `GET /api/v1/metrics`, JSON.
  virtual std::string metrics_json() const = 0;
  /// The body of `GET /metrics`, Prometheus' text format.
  virtual std::string metrics_text() const = 0;

  /// Null: this node is no part of a cluster.
  virtual cluster_port* cluster() { return nullptr; }
};

} // namespace eventweft::net
