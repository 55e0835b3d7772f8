// SPDX-License-Identifier: Apache-2.0
#include "processing/registry.hpp"

#include <algorithm>
#include <utility>

namespace eventweft::processing {

namespace {

using list = std::vector<registered_ptr>;

list only_answering(const list& all) {
  list out;
  std::ranges::copy_if(all, std::back_inserter(out),
                       [](const auto& r) { return r->what.answers; });
  return out;
}

auto place_of(const list& all, std::string_view name) {
  return std::ranges::lower_bound(all, name, {}, [](const auto& r) {
    return std::string_view{r->what.name};
  });
}

} // namespace

registry::registry()
    : list_(std::make_shared<list>()), answering_(std::make_shared<list>()) {}

std::shared_ptr<const list> registry::snapshot() const {
  std::lock_guard guard{mutex_};
  return list_;
}

expected<void> registry::add(processor p) {
  if (auto good = check(p); !good)
    return good;
  codec::compiled_filter filter{p.filter};
  auto entry =
      std::make_shared<registered>(registered{std::move(p), filter, 0});
  {
    std::lock_guard guard{mutex_};
    auto next = std::make_shared<list>(*list_);
    const auto at = place_of(*next, entry->what.name);
    if (at != next->end() && (*at)->what.name == entry->what.name)
      return fail(name_taken((*at)->what));
    entry->number = ++last_number_;
    next->insert(at, std::move(entry));
    answering_ = std::make_shared<list>(only_answering(*next));
    list_ = std::move(next);
  }
  listeners_.tell();
  return {};
}

bool registry::remove(std::string_view name) {
  {
    std::lock_guard guard{mutex_};
    auto next = std::make_shared<list>(*list_);
    const auto at = place_of(*next, name);
    if (at == next->end() || (*at)->what.name != name)
      return false;
    next->erase(at);
    answering_ = std::make_shared<list>(only_answering(*next));
    list_ = std::move(next);
  }
  listeners_.tell();
  return true;
}

void registry::change(const std::function<void(registered&)>& how) {
  std::lock_guard guard{mutex_};
  auto next = std::make_shared<list>(*list_);
  for (auto& r : *next) {
    auto changed = std::make_shared<registered>(*r);
    how(*changed);
    r = std::move(changed);
  }
  answering_ = std::make_shared<list>(only_answering(*next));
  list_ = std::move(next);
}

void registry::starts_at(seq_t head) {
  change([head](registered& r) { r.head_at_start = head; });
}

void registry::begun(std::string_view name) {
  change([name](registered& r) {
    if (r.what.name == name)
      r.head_at_start.reset();
  });
}

void registry::set_complete(bool all_here) {
  {
    std::lock_guard guard{mutex_};
    complete_ = all_here;
  }
  listeners_.tell();
}

bool registry::complete() const {
  std::lock_guard guard{mutex_};
  return complete_;
}

std::vector<registered_ptr> registry::all() const {
  return *snapshot();
}

registered_ptr registry::find(std::string_view name) const {
  const auto now = snapshot();
  const auto at = place_of(*now, name);
  return at != now->end() && (*at)->what.name == name ? *at : nullptr;
}

bool registry::answers(const event& ev) const {
  std::shared_ptr<const list> now;
  {
    std::lock_guard guard{mutex_};
    now = answering_;
  }
  return std::ranges::any_of(
      *now, [&ev](const auto& r) { return r->filter.matches(ev); });
}

std::shared_ptr<void> registry::on_change(std::function<void()> changed) {
  return listeners_.add(std::move(changed));
}

} // namespace eventweft::processing
