// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "codec/filter.hpp"
#include "codec/payload.hpp"

#include <simdjson.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What a filter is compiled to; for codec/ only.
namespace eventweft::codec {

/// The canonical JSON text of a scalar, or nothing for an object or array:
/// equal numbers have equal texts, integers of 64 bits exactly, others as
/// doubles.
std::optional<std::string> scalar_text(simdjson::dom::element e);

/// The part of `type` that an event type without `*` must be equal to: all of
/// it, then the part before each `:`, from the last one to the first. `from` is
/// npos for the first call; nothing once there are no more.
std::optional<std::string_view> type_prefix(std::string_view type,
                                            size_t& from);

/// The buffers for one event's documents. Not to be shared by probes that live
/// at the same time.
struct probe_buffers {
  payload_reader metadata;
  payload_reader payload;
};

/// One event as filters ask for it: each of its documents is parsed when the
/// first condition asks, and once only, however many filters there are.
class event_probe {
 public:
  /// Both must outlive the probe.
  event_probe(const event& ev, probe_buffers& buffers)
      : ev_(ev), buffers_(buffers) {}
  event_probe(const event_probe&) = delete;
  event_probe& operator=(const event_probe&) = delete;

  const event& value() const noexcept { return ev_; }

  /// The thread's id as text; empty if there is none.
  const std::string& thread();

  /// All ids by which filters find the event's thread: its own; the former ones
  /// of it that filters ask for (`thread_names`); and, of an event that tells
  /// of a merge, the thread that is no more: who reads that one is to hear
  /// where it went. Each once; empty if there is no thread.
  const std::vector<std::string>& threads();

  /// What is at a path of `filter::custom_filters`.
  std::optional<simdjson::dom::element> at(std::string_view path);

  /// Its canonical JSON text; nothing for objects and arrays and for what is
  /// not there.
  std::optional<std::string> scalar_at(std::string_view path);

 private:
  struct document {
    bool tried = false;
    std::optional<simdjson::dom::element> root;
  };

  const event& ev_;
  probe_buffers& buffers_;
  std::optional<std::string> thread_;
  std::optional<std::vector<std::string>> threads_;
  document metadata_;
  document payload_;
};

/// The values of one member, made ready. Empty: not given.
class text_set {
 public:
  text_set() = default;
  /// With `wildcards`, values with a `*` are patterns.
  text_set(const std::vector<std::string>& values, bool wildcards);

  bool empty() const noexcept { return exact_.empty() && patterns_.empty(); }
  bool contains(std::string_view text) const;
  bool contains_type(std::string_view type) const;
  bool contains_any(const std::vector<std::string>& texts) const;

  /// Sorted and unique.
  const std::vector<std::string>& exact() const noexcept { return exact_; }
  const std::vector<std::string>& patterns() const noexcept {
    return patterns_;
  }

 private:
  bool has(std::string_view text) const;
  bool fits_pattern(std::string_view text) const;

  std::vector<std::string> exact_;
  std::vector<std::string> patterns_;
};

/// One `filter`, made ready.
struct filter_part {
  explicit filter_part(const filter& f);

  bool matches(event_probe& probe) const;

  std::optional<priority> min_priority;
  text_set platforms;
  text_set types;
  text_set source_ids;
  text_set source_names;
  text_set actor_ids;
  text_set threads;
  /// Path and canonical value.
  std::vector<std::pair<std::string, std::string>> conditions;
  /// Keeps the names of `threads` known, whatever they are merged into.
  std::shared_ptr<const void> watch;
};

struct filter_program {
  /// All of them must match; those that match everything are left out.
  std::vector<filter_part> parts;
  std::string key;

  bool matches(event_probe& probe) const;
};

} // namespace eventweft::codec
