// SPDX-License-Identifier: Apache-2.0
#include "actors/control_bus.hpp"

#include <utility>

namespace eventweft {

namespace {

/// Begins no id.
constexpr std::string_view revoked_prefix = "revoked:";

} // namespace

std::string_view to_string(control_kind kind) noexcept {
  switch (kind) {
  case control_kind::streams:
    return "streams";
  case control_kind::subscriptions:
    return "subscriptions";
  case control_kind::keys:
    return "keys";
  case control_kind::rules:
    return "rules";
  case control_kind::dead_letters:
    return "dead_letters";
  case control_kind::threads:
    return "threads";
  case control_kind::log_level:
    return "log_level";
  }
  return "unknown";
}

std::string log_level_text(std::string_view component, std::string_view level) {
  std::string out;
  if (component != "*")
    out.append(component).append(1, '=');
  return out.append(level);
}

std::pair<std::string_view, std::string_view>
read_log_level(std::string_view text) noexcept {
  const auto at = text.rfind('=');
  if (at == text.npos)
    return {"*", text};
  return {text.substr(0, at), text.substr(at + 1)};
}

std::string revoked_key_text(std::string_view id) {
  return std::string{revoked_prefix}.append(id);
}

std::string_view read_revoked_key(std::string_view text) noexcept {
  if (!text.starts_with(revoked_prefix))
    return {};
  return text.substr(revoked_prefix.size());
}

void control_bus::announce(const control_event& e) {
  call(e, false);
  call(e, true);
}

std::shared_ptr<void> control_bus::subscribe(control_kind kind, callback f) {
  return add({kind, false, std::move(f)});
}

std::shared_ptr<void> control_bus::carry(callback f) {
  return add({control_kind::streams, true, std::move(f)});
}

void control_bus::deliver(const control_event& e) {
  call(e, false);
}

void control_bus::deliver_by_link(const control_event& e) {
  if (e.kind != control_kind::log_level || !hears_bell_)
    deliver(e);
}

void control_bus::resync() {
  for (uint8_t kind = 0; kind <= last_control_kind; ++kind)
    // A level is not kept anywhere that it could be read from again.
    if (static_cast<control_kind>(kind) != control_kind::log_level)
      deliver({static_cast<control_kind>(kind), {}});
}

std::shared_ptr<void> control_bus::add(entry e) {
  auto kept = std::make_shared<const entry>(std::move(e));
  std::lock_guard guard{table_->mutex};
  const auto number = ++table_->last;
  table_->entries.emplace(number, std::move(kept));
  return {static_cast<void*>(nullptr),
          [weak = std::weak_ptr{table_}, number](void*) {
            std::shared_ptr<const entry> gone;
            if (auto t = weak.lock()) {
              std::lock_guard lock{t->mutex};
              auto node = t->entries.extract(number);
              if (!node.empty())
                gone = std::move(node.mapped());
            }
          }};
}

void control_bus::call(const control_event& e, bool outwards) {
  std::vector<std::shared_ptr<const entry>> who;
  {
    std::lock_guard guard{table_->mutex};
    for (const auto& [number, each] : table_->entries)
      if (each->outwards == outwards && (outwards || each->kind == e.kind))
        who.push_back(each);
  }
  for (const auto& each : who)
    each->call(e);
}

} // namespace eventweft
