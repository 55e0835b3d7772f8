// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/webhook.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::platforms {

/// What a webhook turned out to be, once it is proven genuine.
struct acceptance {
  /// To be stored, in this order; seq 0.
  std::vector<event> events;
  /// If set, the whole answer: nothing is stored (a handshake).
  std::optional<webhook_answer> answer;
  /// The sender gave an array and gets one result an item.
  bool batch = false;
  /// For a batch, one entry an item: why it was refused, or nothing if it is
  /// the next of `events`. May be left empty if all items are events.
  std::vector<std::optional<error>> refused;
  /// If set, the answer once all events are durable, in place of their ids.
  std::optional<webhook_answer> when_stored;
  /// For a batch: what handlers replied to each of `events`, put into its
  /// result. May be left empty if none did.
  std::vector<std::optional<webhook_answer>> replies;
};

/// What became of one event of an acceptance.
using event_outcome = expected<append_outcome>;

/// All that is known about one platform: how its webhooks prove that they are
/// genuine and where their fields are. Immutable once made, no I/O, never
/// blocks; one instance serves all workers at the same time.
class platform {
 public:
  virtual ~platform() = default;

  virtual std::string_view name() const noexcept = 0;

  /// Checks the proof, then reads. `unauthorized` for a bad or missing proof,
  /// `malformed` naming the fault and its place for a bad body or header,
  /// `method_not_allowed` and `unsupported_media_type` as they say.
  virtual expected<acceptance> accept(const webhook& w) const = 0;

  /// What asks for its proof in `WWW-Authenticate`; empty: nothing does.
  virtual std::string challenge() const { return {}; }

  /// How long the sender waits for its answer; 0: no shorter than the server
  /// does. Past it the sender tries again, so answer with a 503 by then.
  virtual std::chrono::milliseconds answer_within() const noexcept {
    return std::chrono::milliseconds{0};
  }

  /// How long the answer may wait for a handler's reply, from the moment the
  /// webhook came in, before it is the plain one. Less than what the sender
  /// waits.
  virtual std::chrono::milliseconds reply_within() const noexcept {
    return std::chrono::milliseconds{8'000};
  }

  /// The answer once all events of `a` have their outcome. Does not look at
  /// `a.events`, which may be moved from by then.
  /// The default is what `codec::outcome_json` says with 200, or 202 for a
  /// spooled event; errors become their problem.
  virtual webhook_answer answer(const acceptance& a,
                                std::span<const event_outcome> outcomes) const;
};

using platform_ptr = std::shared_ptr<const platform>;

} // namespace eventweft::platforms
