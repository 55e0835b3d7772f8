// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/platforms/platform.hpp"
#include "actors/platforms/priority_rules.hpp"
#include "actors/platforms/request.hpp"
#include "actors/platforms/sanitiser.hpp"
#include "actors/platforms/signature_verifier.hpp"
#include "config/settings.hpp"
#include "messages/filter.hpp"
#include "messages/time.hpp"
#include "messages/uuid.hpp"

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eventweft::platforms {

/// Longest text of an envelope field, in bytes; longer ones are cut. Indexes
/// of SQL engines have limits, too.
inline constexpr size_t max_field = 512;
/// Longest delivery id, in bytes; longer ones are replaced by their digest.
inline constexpr size_t max_event_id = 256;

/// What every platform is made from. The clock and the random source must
/// outlive it.
struct platform_parts {
  config::platform_settings settings;
  const clock& time;
  random_source& random;
};

/// What the configuration adds to what a platform does by itself.
struct policies {
  priority_rules priorities;
  sanitiser redact;
};

/// `bad_configuration` names the key that can't be used.
expected<policies> make_policies(std::string_view name,
                                 const config::platform_settings& settings);

/// The steps that all platforms share: method, size, proof (unless the webhook
/// came with credentials of ours), reading, and what
/// is done to every event at the end. A platform adds what it knows.
class base_platform : public platform {
 public:
  std::string_view name() const noexcept final { return name_; }
  expected<acceptance> accept(const webhook& w) const override;
  std::string challenge() const final { return verifier_.challenge(); }

 protected:
  base_platform(std::string name, signature_verifier verifier, policies rules,
                const platform_parts& parts);

  /// Called before the proof: how the body is to be read.
  virtual void prepare(request& r) const;

  /// Called after the proof: takes out of the payload what must not be kept,
  /// so that nothing that follows sees it.
  virtual expected<void> sanitise(request& r) const;

  /// Reads a request whose proof held (or was not asked for). Events need an
  /// `event_id` and an `event_type`; `complete` fills in the rest.
  virtual expected<acceptance> read(request& r) const = 0;

  /// Gives `ev` what its reader left open: platform, id, time, payload (the
  /// request's, shared, with its readable form), priority by the configured
  /// rules; and bounds its texts.
  expected<void> complete(request& r, event& ev) const;

  /// Takes tokens out of what headers brought into the envelope, as they were
  /// taken out of the payload before; in place of an id that holds one, its
  /// digest. Adds what there was to `notes`, each once.
  void redact_envelope(event& ev, std::vector<std::string>& notes) const;

  /// The part of `complete` that needs no payload.
  void stamp(const webhook& w, event& ev) const;

  /// Notes the trace that the request is part of, by its header `traceparent`,
  /// unless the event names one itself. Not for requests with several events,
  /// which may have nothing else in common.
  static void note_trace(const request& r, event& ev);

  /// The configured rule's priority for the event, if one fits.
  void prioritise(simdjson::dom::element payload, event& ev) const;

  const sanitiser& redactions() const noexcept { return rules_.redact; }
  timestamp now() const { return time_.now(); }
  random_source& random() const noexcept { return random_; }

 private:
  std::string name_;
  signature_verifier verifier_;
  policies rules_;
  uint64_t max_body_bytes_;
  const clock& time_;
  random_source& random_;
};

/// Makes a `T(verifier, policies, parts, args…)`.
template <class T, class... Args>
expected<platform_ptr>
make_platform(const std::string& name, std::vector<signature_scheme> schemes,
              const platform_parts& parts, Args&&... args) {
  auto verifier =
      signature_verifier::make(name, std::move(schemes), parts.settings);
  if (!verifier)
    return fail(std::move(verifier.error()));
  auto rules = make_policies(name, parts.settings);
  if (!rules)
    return fail(std::move(rules.error()));
  return std::make_shared<const T>(std::move(*verifier), std::move(*rules),
                                   parts, std::forward<Args>(args)...);
}

/// The first text that is not empty at one of the pointers, or empty.
std::string first_text(simdjson::dom::element root,
                       std::initializer_list<std::string_view> pointers);

/// `text` cut to `limit` bytes at a character's end, U+0000 (which SQL engines
/// refuse) replaced by U+FFFD.
std::string clean_text(std::string_view text, size_t limit = max_field);

/// `id`, or "sha256:" and its digest where it is too long.
std::string bounded_id(std::string_view id);

/// Makes of texts that senders know what is stored of them, so that a question
/// finds it. Patterns stay as they are.
void as_stored(event_query& q);

/// A small JSON object under construction; null and empty texts are left out.
class metadata_writer {
 public:
  metadata_writer& text(std::string_view key,
                        std::optional<std::string_view> value);
  /// `json` must be a JSON text.
  metadata_writer& raw(std::string_view key, std::string_view json);
  bool empty() const noexcept { return out_.size() == 1; }
  std::string finish() &&;

 private:
  std::string out_ = "{";
};

} // namespace eventweft::platforms
