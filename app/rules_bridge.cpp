// SPDX-License-Identifier: Apache-2.0
#include "app/rules_bridge.hpp"

#include "app/correlation.hpp"
#include "correlation/custom_rule.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <stop_token>
#include <utility>

namespace eventweft {

namespace {

using correlation::rule_origin;

/// Calls that wait for our thread.
constexpr size_t max_rule_jobs = 1'000;
/// Each is run for each event.
constexpr size_t max_stored_rules = 500;

error name_is_taken(const correlation::rule_state& other) {
  return {ec::conflict,
          "the correlation rule \"" + other.name + "\" is " +
              (other.origin == rule_origin::built_in        ? "built in"
               : other.origin == rule_origin::configuration ? "in the "
                                                              "configuration"
                                                            : "the program's") +
              ": it stays as it is"};
}

} // namespace

struct rules_bridge::inbox {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::deque<job> jobs;
  bool woken = false;

  void ring() {
    const std::lock_guard lock{mutex};
    woken = true;
    wake.notify_all();
  }
};

rules_bridge::rules_bridge(rules_bridge_parts parts)
    : parts_(std::move(parts)), inbox_(std::make_shared<inbox>()) {
  if (parts_.books)
    told_ = parts_.control->subscribe(
        control_kind::rules,
        [box = inbox_](const control_event&) { box->ring(); });
}

rules_bridge::~rules_bridge() {
  told_.reset();
  thread_ = {};
  std::deque<job> left;
  {
    const std::lock_guard lock{inbox_->mutex};
    left.swap(inbox_->jobs);
  }
  for (const auto& work : left)
    work();
}

void rules_bridge::read_first() {
  if (parts_.books)
    read();
}

void rules_bridge::start() {
  if (parts_.books)
    thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
}

void rules_bridge::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::deque<job> mine;
    {
      std::unique_lock lock{inbox_->mutex};
      inbox_->wake.wait_for(lock, stop, parts_.interval,
                            [this] { return inbox_->woken; });
      inbox_->woken = false;
      mine.swap(inbox_->jobs);
    }
    for (const auto& work : mine)
      work();
    read();
  }
}

// -- reading ------------------------------------------------------------------

void rules_bridge::read() {
  const auto taken = [this]() -> expected<void> {
    auto stored = parts_.books->rules();
    if (!stored)
      return fail(stored.error());
    if (known_ == *stored)
      return {};
    const auto changes = take_stored_rules(*stored, *parts_.rules);
    if (!changes)
      return fail(changes.error());
    known_ = std::move(*stored);
    for (const auto& name : changes->set)
      parts_.log->info("the correlation rule {} of the store is in force now",
                       name);
    for (const auto& name : changes->gone)
      parts_.log->info("the correlation rule {} of the store is gone", name);
    for (const auto& name : changes->hidden)
      parts_.log->warn("the correlation rule {} of the store is not in force: "
                       "this node has one of that name",
                       name);
    parts_.figures->stored_rules(known_->size() - changes->hidden.size(),
                                 changes->set.size() + changes->gone.size());
    return {};
  }();
  if (!taken && !failing_)
    parts_.log->warn("the store's correlation rules can't be read ({}); those "
                     "in force stay, and it is tried again",
                     to_string(taken.error()));
  else if (taken && failing_)
    parts_.log->info("the store's correlation rules can be read again");
  failing_ = !taken;
  // One that is out of use may have gone; an event under way may have seen it
  // fail since. So it is counted anew each time.
  parts_.figures->rules_disabled(parts_.rules->disabled());
}

std::vector<correlation::rule_state> rules_bridge::rules() const {
  auto all = parts_.rules->rules();
  std::ranges::sort(all, {}, &correlation::rule_state::name);
  return all;
}

std::optional<correlation::rule_state>
rules_bridge::find(const std::string& name) const {
  for (auto& r : parts_.rules->rules())
    if (r.name == name)
      return std::move(r);
  return std::nullopt;
}

// -- changing -----------------------------------------------------------------

bool rules_bridge::put(job work) {
  const std::lock_guard lock{inbox_->mutex};
  if (inbox_->jobs.size() >= max_rule_jobs)
    return false;
  inbox_->jobs.push_back(std::move(work));
  inbox_->woken = true;
  inbox_->wake.notify_all();
  return true;
}

void rules_bridge::set(correlation::declarative_rule rule,
                       net::reply_to<net::set_rule> reply) {
  if (!parts_.books)
    reply(fail(ec::not_found, "this store keeps no correlation rules"));
  else if (!put(
               [this, rule = std::move(rule), reply] { reply(set_now(rule)); }))
    reply(fail(ec::overloaded, "too many calls wait for the rules"));
}

void rules_bridge::drop(std::string name, net::reply_to<bool> reply) {
  if (!parts_.books)
    reply(fail(ec::not_found, "this store keeps no correlation rules"));
  else if (!put([this, name = std::move(name), reply] {
             reply(drop_now(name));
           }))
    reply(fail(ec::overloaded, "too many calls wait for the rules"));
}

expected<net::set_rule>
rules_bridge::set_now(const correlation::declarative_rule& rule) {
  if (const auto other = find(rule.name);
      other && other->origin != rule_origin::store)
    return fail(name_is_taken(*other));
  if (const auto works = correlation::make_declarative_rule(rule); !works)
    return fail(ec::unprocessable, works.error().message);
  const auto stored = parts_.books->rules();
  // One that can't be read must not keep others from taking its place.
  if (!stored && stored.error().code != ec::corrupt)
    return fail(stored.error());
  if (stored && stored->size() >= max_stored_rules &&
      std::ranges::find(*stored, rule.name,
                        &correlation::declarative_rule::name) == stored->end())
    return fail(ec::unprocessable,
                "the store has " + std::to_string(max_stored_rules) +
                    " correlation rules already, which is all it may have");
  const auto is_new = parts_.books->set_rule(rule);
  if (!is_new)
    return fail(is_new.error());
  changed(rule.name);
  net::set_rule out;
  out.is_new = *is_new;
  if (auto now = find(rule.name)) {
    out.rule = std::move(*now);
  } else {
    out.rule.name = rule.name;
    out.rule.origin = rule_origin::store;
    out.rule.definition = rule;
  }
  return out;
}

expected<bool> rules_bridge::drop_now(const std::string& name) {
  // One that is hidden by a rule of that name here may go as well.
  const auto gone = parts_.books->drop_rule(name);
  if (!gone)
    return gone;
  if (*gone) {
    changed(name);
    return true;
  }
  if (const auto other = find(name);
      other && other->origin != rule_origin::store)
    return fail(name_is_taken(*other));
  return fail(ec::not_found, "no correlation rule has this name");
}

void rules_bridge::changed(const std::string& name) {
  read();
  parts_.control->announce({control_kind::rules, name});
}

} // namespace eventweft
