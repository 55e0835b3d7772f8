// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "delivery/progress.hpp"
#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/filter.hpp"
#include "messages/processing.hpp"
#include "processing/processor.hpp"
#include "processing/turns.hpp"

#include <array>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

/// A processor reads the log in one feed, or in four, one a priority, so that a
/// backlog of low ones does not hide what is urgent; where events must keep an
/// order there is one.
namespace eventweft::processing {

/// Whether urgent events may be read ahead of the others.
bool reads_by_lane(const processor& p) noexcept;

/// The feeds that this processor reads the log with.
std::vector<std::string> feeds_of(const processor& p);

/// Which events that feed lets through.
eventweft::filter feed_filter(const processor& p, size_t feed);

/// How far a feed is.
struct log_feed {
  std::string name;
  delivery::progress progress;
  /// Events of these priorities up to these seqs were dealt with by the feeds
  /// that there were before.
  std::array<seq_t, lane_count> floors{};
  /// Open, but not in memory yet.
  std::set<seq_t> missing;
  /// Its mark is to be written.
  bool changed = false;
  /// So many of the events to come may have been in hand before.
  size_t suspects = 0;

  /// Whether the event is beyond all that this feed, or those before it, read.
  bool has_yet_to_read(const event& ev) const;
  /// Opens once more an event that was done with.
  void reopen(seq_t seq, timestamp now);
  /// What is kept of it: also the floors, as long as one is beyond the cursor.
  delivery::progress_mark mark() const;
};

/// The feed that brings events of this lane.
size_t feed_for(const std::vector<log_feed>& feeds, size_t lane) noexcept;

/// The processor's feeds, each from where its mark says; where there is no mark
/// at all, from `start`. `corrupt` if a mark can't be read.
expected<std::vector<log_feed>>
resume_feeds(const processor& p, const std::vector<stored_mark>& from,
             seq_t start);

} // namespace eventweft::processing
