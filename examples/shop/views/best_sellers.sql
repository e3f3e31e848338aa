-- A change of this file is noticed: the next `up` builds the view anew.
SELECT product_id, sku, title, revenue_cents
FROM product_sales
ORDER BY revenue_cents DESC, sku
LIMIT 10
