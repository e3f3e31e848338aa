-- The file that the test's view is made of.
SELECT 1 AS one
