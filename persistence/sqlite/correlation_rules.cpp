// SPDX-License-Identifier: Apache-2.0
#include "persistence/sqlite/correlation_rules.hpp"

#include "codec/filter.hpp"
#include "codec/rule_json.hpp"

#include <string>

namespace eventweft::sqlite {

expected<std::vector<correlation::declarative_rule>>
correlation_rules::rules() {
  using result_t = expected<std::vector<correlation::declarative_rule>>;
  return database_.call([](database& db) -> result_t {
    std::vector<correlation::declarative_rule> out;
    auto& q = db.prepared(
        "SELECT name, match, key, field, pattern, confidence, window_seconds "
        "FROM correlation_rules ORDER BY name");
    while (q.executeStep()) {
      auto& r = out.emplace_back();
      r.name = q.getColumn(0).getString();
      auto match = codec::read_rule_match(r.name, q.getColumn(1).getString());
      if (!match) {
        q.reset();
        return fail(match.error());
      }
      r.match = std::move(*match);
      r.key = q.getColumn(2).getString();
      r.field = q.getColumn(3).getString();
      r.pattern = q.getColumn(4).getString();
      r.confidence = static_cast<float>(q.getColumn(5).getDouble());
      r.window = q.getColumn(6).getUInt();
    }
    return out;
  });
}

expected<bool>
correlation_rules::set_rule(const correlation::declarative_rule& rule) {
  return database_.call([&](database& db) -> expected<bool> {
    write_transaction tx{db};
    auto& look = db.prepared("SELECT 1 FROM correlation_rules WHERE name = ?");
    look.bind(1, rule.name);
    const bool known = look.executeStep();
    look.reset();
    auto& q = db.prepared(
        "INSERT INTO correlation_rules (name, match, key, field, pattern, "
        "confidence, window_seconds) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (name) DO UPDATE SET match = excluded.match, key = "
        "excluded.key, field = excluded.field, pattern = excluded.pattern, "
        "confidence = excluded.confidence, window_seconds = "
        "excluded.window_seconds, changed_at = excluded.changed_at");
    q.bind(1, rule.name);
    q.bind(2, codec::filter_json(rule.match));
    q.bind(3, rule.key);
    q.bind(4, rule.field);
    q.bind(5, rule.pattern);
    q.bind(6, static_cast<double>(rule.confidence));
    q.bind(7, static_cast<int64_t>(rule.window));
    q.exec();
    tx.commit();
    return !known;
  });
}

expected<bool> correlation_rules::drop_rule(std::string_view name) {
  return database_.call([&](database& db) -> expected<bool> {
    write_transaction tx{db};
    auto& q = db.prepared("DELETE FROM correlation_rules WHERE name = ?");
    q.bind(1, std::string{name});
    const bool gone = q.exec() > 0;
    tx.commit();
    return gone;
  });
}

} // namespace eventweft::sqlite
