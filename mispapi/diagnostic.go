package mispapi

// diagnoseSchema says that the store's tables are as this version has them: a
// store that is not is brought there before it is opened, or not opened at all.
// MISP's list of what is wrong with each table is empty.
func diagnoseSchema(c *call) error { return c.reply(c.schemaWords()) }

func (c *call) schemaWords() map[string]any {
	version := itoa(c.Schema)
	return map[string]any{
		"dataSource": "Tocsin", "actual_db_version": version, "expected_db_version": version, "checked_table_column": []string{},
		"diagnostic": struct{}{}, "diagnostic_index": struct{}{}, "indexes": struct{}{}, "columnPerTable": struct{}{},
		"error": "", "update_locked": false, "remaining_lock_time": 0, "update_fail_number_reached": false,
	}
}
