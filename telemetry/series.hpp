// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// What prometheus-cpp's families are made and looked up with; for the sources
/// of telemetry/ only.
namespace eventweft {

// Senders choose event types; a hostile one must not fill the memory.
inline constexpr size_t max_series = 500;

inline const prometheus::Histogram::BucketBoundaries duration_buckets = {
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
    0.025,   0.05,   0.1,     0.25,   0.5,   1,      2.5,   5};

/// The members of one family by their label values, found without a lock that
/// writers would wait for, and limited in number. Thread-safe.
template <class T>
class series {
 public:
  series(prometheus::Registry& registry, const char* name, const char* help,
         std::vector<std::string> keys)
      : family_(make(registry, name, help)), keys_(std::move(keys)) {
    // nop
  }

  /// The member with these values, one for each key; made if it is new.
  template <class... Values>
  T& at(const Values&... values) {
    auto key = key_of(values...);
    {
      std::shared_lock guard{mutex_};
      if (auto i = members_.find(key); i != members_.end())
        return *i->second;
    }
    std::unique_lock guard{mutex_};
    return made(std::move(key), values...);
  }

  /// Has `f` change the member with these values; made if it is new. What may
  /// be removed is to be changed by this alone.
  template <class F, class... Values>
  void change(F f, const Values&... values) {
    auto key = key_of(values...);
    {
      std::shared_lock guard{mutex_};
      if (auto i = members_.find(key); i != members_.end()) {
        f(*i->second);
        return;
      }
    }
    std::unique_lock guard{mutex_};
    f(made(std::move(key), values...));
  }

  /// There is no such member from now on, until it is changed again.
  template <class... Values>
  void remove(const Values&... values) {
    std::unique_lock guard{mutex_};
    if (auto i = members_.find(key_of(values...)); i != members_.end()) {
      family_.Remove(i->second);
      members_.erase(i);
    }
  }

 private:
  template <class... Values>
  static std::string key_of(const Values&... values) {
    std::string key;
    ((key.append(std::string_view{values}).push_back('\0')), ...);
    return key;
  }

  /// Under the lock.
  template <class... Values>
  T& made(std::string key, const Values&... values) {
    if (auto i = members_.find(key); i != members_.end())
      return *i->second;
    const bool full = members_.size() >= max_series;
    std::map<std::string, std::string> pairs;
    size_t n = 0;
    ((pairs.emplace(keys_[n++], full ? "other" : std::string{values})), ...);
    T& added = family_.Add(pairs);
    // Past the limit nothing more is remembered: `Add` finds "other" again.
    if (!full)
      members_.emplace(std::move(key), &added);
    return added;
  }

  static prometheus::Family<T>& make(prometheus::Registry& registry,
                                     const char* name, const char* help) {
    if constexpr (std::is_same_v<T, prometheus::Counter>)
      return prometheus::BuildCounter().Name(name).Help(help).Register(
          registry);
    else
      return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
  }

  prometheus::Family<T>& family_;
  std::vector<std::string> keys_;
  std::shared_mutex mutex_;
  std::map<std::string, T*, std::less<>> members_;
};

/// A family without labels: its one member.
inline prometheus::Counter& counter(prometheus::Registry& r, const char* name,
                                    const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(r).Add({});
}

inline prometheus::Gauge& gauge(prometheus::Registry& r, const char* name,
                                const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(r).Add({});
}

} // namespace eventweft
