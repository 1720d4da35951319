{#-
  A query of year, importer_code, hs6 and the concentration of the importer's suppliers of that good, from a CTE with
  one row per flow (year, exporter_code, importer_code, hs6, value_usd).
-#}
{% macro concentration_of_imports(flows) -%}
    select
        year,
        importer_code,
        hs6,
        n_suppliers,
        import_value_usd,
        sum_of_squares / (import_value_usd * import_value_usd) as import_hhi,
        top_supplier_code,
        top_supplier_value_usd / import_value_usd as top_supplier_share
    from (
        select
            year,
            importer_code,
            hs6,
            count(*) as n_suppliers,
            {{ exact_sum('value_usd') }} as import_value_usd,
            {{ exact_sum_of_squares('value_usd') }} as sum_of_squares,
            {{ code_of_largest('exporter_code', 'value_usd') }} as top_supplier_code,
            max(value_usd) as top_supplier_value_usd
        from {{ flows }}
        group by year, importer_code, hs6
    ) as summed
{%- endmacro %}
