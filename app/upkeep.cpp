// SPDX-License-Identifier: Apache-2.0
#include "app/upkeep.hpp"

#include <algorithm>
#include <utility>

namespace eventweft {

namespace {

/// Of one retention run, so that it never holds the store for long.
constexpr size_t delete_at_once = 10'000;

/// How long samples are kept.
constexpr std::chrono::hours sample_age{7 * 24};

} // namespace

upkeep::upkeep(store_ptr store, upkeep_options options,
               std::shared_ptr<const clock> time, logger_ptr log,
               std::shared_ptr<ownership> owner)
    : options_(std::move(options)),
      time_(std::move(time)),
      log_(std::move(log)),
      owner_(std::move(owner)),
      session_(store->open_maintenance()),
      reports_(options_.stored ? store->open_reports() : nullptr) {
  if (session_)
    thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
}

upkeep::~upkeep() = default;

void upkeep::run(const std::stop_token& stop) {
  auto next_slow = std::chrono::steady_clock::now();
  while (!stop.stop_requested()) {
    const auto now = std::chrono::steady_clock::now();
    const bool slow = now >= next_slow;
    const bool prepared = !slow || prepare();
    const bool counted = roll_up(stop);
    if (options_.stored)
      keep_samples();
    if (reports_)
      write_report();
    // Work that is asked for once in ten minutes is forgotten in between, so
    // that its turn never comes.
    if (!options_.retention.keeps_all())
      static_cast<void>(owner_->held("retention"));
    // What is not counted yet is not let go of.
    const bool retained = !slow || (counted && retain(stop));
    if (slow)
      next_slow = now + (prepared && retained ? options_.slow_interval
                                              : options_.slow_retry);
    std::unique_lock lock{mutex_};
    wake_.wait_for(lock, stop, options_.interval, [] { return false; });
  }
}

bool upkeep::prepare() {
  const auto made = session_->prepare_partitions(time_->now());
  if (!worked("making partitions ahead", made ? nullptr : &made.error()))
    return false;
  if (*made > 0)
    log_->info("made {} partitions ahead", *made);
  if (!reports_)
    return true;
  const auto gone = reports_->forget_samples(time_->now() - sample_age);
  return worked("dropping old samples", gone ? nullptr : &gone.error());
}

bool upkeep::roll_up(const std::stop_token& stop) {
  // All there is: one piece an interval would fall behind a busy log for good,
  // and what is not counted is kept.
  for (bool more = true;
       more && !stop.stop_requested() && owner_->held("metrics");) {
    const auto rolled = session_->roll_up_metrics();
    if (!worked("rolling up figures", rolled ? nullptr : &rolled.error()))
      return false;
    more = *rolled >= metrics_at_once;
  }
  return true;
}

void upkeep::keep_samples() {
  const auto taken = options_.stored->take();
  if (taken.empty())
    return;
  std::vector<performance_sample> samples;
  samples.reserve(taken.size());
  for (const auto& t : taken)
    samples.push_back({t.at, std::string{t.stage}, t.platform, t.event_type,
                       t.event_id, t.took, t.waiting});
  const auto kept = session_->record_performance(samples);
  worked("keeping samples", kept ? nullptr : &kept.error());
}

void upkeep::write_report() {
  const auto now = time_->now();
  const auto report = reports_->read(now);
  if (worked("reading figures", report ? nullptr : &report.error()))
    options_.stored->set_report(report_json(*report, now));
}

bool upkeep::retain(const std::stop_token& stop) {
  const auto& policy = options_.retention;
  if (policy.keeps_all())
    return true;
  for (bool more = true;
       more && !stop.stop_requested() && owner_->held("retention");) {
    const auto items =
        session_->apply_retention(policy, time_->now(), false, delete_at_once);
    if (!worked("retention", items ? nullptr : &items.error()))
      return false;
    more = std::ranges::any_of(*items, [](const retention_item& item) {
      return item.action == retention_item::kind::delete_events &&
             item.events > 0;
    });
    for (const auto& item : *items)
      // Each round says again what must stay.
      if (!more || !stays(item.action))
        log_->info("retention: {} {}: {} events{}{}", to_string(item.action),
                   item.what, item.events, item.reason.empty() ? "" : ", ",
                   item.reason);
  }
  return true;
}

bool upkeep::worked(const char* what, const error* failure) {
  if (!failure)
    failing_.erase(what);
  else if (failing_.insert(what).second)
    log_->warn("{} failed ({}); it is tried again", what, to_string(*failure));
  return failure == nullptr;
}

} // namespace eventweft
